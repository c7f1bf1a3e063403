package migrate

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/hegner123/modulagen/bench/measure"
	"github.com/hegner123/modulagen/runtime/store/migrate"
)

// rebuildRatio is how much longer than a copy by hand a table may take that is made anew.
const rebuildRatio = 1.2

// rebuild measures a table of 1,000,000 rows that is made anew on SQLite, as another default
// requires, against the same statements by hand.
func rebuild(ctx context.Context, report *measure.Report) error {
	folder, err := os.MkdirTemp("", "modulagen-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	v, err := versions("another default")
	if err != nil {
		return err
	}
	origin := filepath.Join(folder, "origin.db")
	rows, err := fill(ctx, "sqlite:"+origin, v, rowsWanted())
	if err != nil {
		return err
	}
	n := 0
	copied := func(run func(path string) error) measure.Sample {
		return func() (float64, error) {
			n++
			path := filepath.Join(folder, fmt.Sprintf("%d.db", n))
			if err := copyFile(origin, path); err != nil {
				return 0, err
			}
			start := time.Now()
			err := run(path)
			took := time.Since(start).Seconds()
			return took, errors.Join(err, os.Remove(path))
		}
	}
	ours, hand, err := measure.Alternate(measure.Rounds{Ours: 5, Peer: 5},
		copied(func(path string) error { return v.up(ctx, "sqlite:"+path) }),
		copied(func(path string) error { return byHand(ctx, path, v) }))
	if err != nil {
		return err
	}
	report.Note("migrate: both sides: WAL, synchronous=NORMAL, foreign keys off and then checked, one transaction, no copy of the file")
	report.Add(measure.Compare(suite, fmt.Sprintf("%d rows made anew", rows), "sqlite", "s", "by hand", ours, hand, measure.Target(1/rebuildRatio)))
	return nil
}

// rowsWanted is how many rows the large tables have at least.
func rowsWanted() int {
	if os.Getenv("BENCH_QUICK") != "" {
		return 50_000
	}
	return 1_000_000
}

// byHand runs the statements of the plan as a careful person would, with database/sql.
func byHand(ctx context.Context, path string, v *version) (err error) {
	db, err := sql.Open("sqlite", path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	c, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	statements := slices.Concat(
		[]string{"PRAGMA journal_mode = WAL", "PRAGMA synchronous = NORMAL", "PRAGMA foreign_keys = OFF", "BEGIN IMMEDIATE"},
		v.statements, []string{"PRAGMA foreign_key_check", "COMMIT"})
	for _, s := range statements {
		if _, err := c.ExecContext(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
	}
	return c.Close()
}

func copyFile(from, to string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, text, 0o600)
}

// options are those of every migration that is measured: a copy of the file is no part of it.
var options = migrate.Options{NoBackup: true, Wait: time.Minute}
