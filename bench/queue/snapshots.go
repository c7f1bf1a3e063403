package queue

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/hegner123/modulagen/bench/measure"
)

// openTransactions measures how many jobs a second are claimed on PostgreSQL
// while three transactions stay open, so that no row version of those that claims
// leave behind can be removed. The figure is that of the last fifth of the time,
// beside that of the same workers before the transactions began.
func (t *trial) openTransactions(ctx context.Context) error {
	if t.hosts["postgres"] == nil {
		return nil
	}
	fifth := t.snapshots / 5
	t.report.Note("queue: %s: for %s while jobs are inserted and worked as fast as they can be; the last %s beside the %s before them",
		snapshotsCase, t.snapshots, fifth, fifth)
	ours := find("postgres", oursName)
	return t.on(ctx, ours, t.durable, func(ctx context.Context, s side, at place) error {
		before, under, err := t.underSnapshots(ctx, s, at, fifth)
		if err != nil {
			return err
		}
		t.report.Add(measure.CompareRates(suite, snapshotsCase, "postgres", "jobs/s", withoutName, under, before, target(snapshotsCase, "postgres", withoutName)))
		return nil
	})
}

func (t *trial) underSnapshots(ctx context.Context, s side, at place, fifth time.Duration) (before, under float64, err error) {
	f, err := startFlow(ctx, s)
	if err != nil {
		return 0, 0, err
	}
	rate := func(d time.Duration) (float64, error) {
		ran, start := f.count.ran.Load(), time.Now()
		err := f.during(ctx, d)
		return float64(f.count.ran.Load()-ran) / time.Since(start).Seconds(), err
	}
	if _, err = rate(2 * t.warmUp); err == nil {
		before, err = rate(fifth)
	}
	var release func() error
	if err == nil {
		release, err = holdSnapshots(ctx, at, 3)
	}
	if err == nil {
		_, err = rate(t.snapshots - fifth)
	}
	if err == nil {
		under, err = rate(fifth)
	}
	if release != nil {
		err = errors.Join(err, release())
	}
	return before, under, errors.Join(err, f.end(ctx))
}

// holdSnapshots opens transactions that see the table as it is now.
func holdSnapshots(ctx context.Context, at place, count int) (release func() error, err error) {
	db, err := sql.Open("pgx", at.Native)
	if err != nil {
		return nil, err
	}
	var open []*sql.Tx
	release = func() error {
		var failed []error
		for _, tx := range open {
			failed = append(failed, tx.Rollback())
		}
		return errors.Join(append(failed, db.Close())...)
	}
	for range count {
		tx, err := db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
		if err == nil {
			open = append(open, tx)
			var rows int64
			err = tx.QueryRowContext(ctx, "SELECT count(*) FROM bench_job").Scan(&rows)
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("open a transaction: %w", err), release())
		}
	}
	return release, nil
}
