package queue

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hegner123/modulagen/bench/measure"
	"github.com/hegner123/modulagen/bench/queue/generated"
	"github.com/hegner123/modulagen/runtime/store"
)

// growths measures ours against itself: a burn-down in a table that holds
// finished and future rows as well, and one in an empty table, in turns.
func (t *trial) growths(ctx context.Context) (failed error) {
	t.report.Note("queue: growth: %d finished and %d future rows, cloned in SQL from %d of each that the API made; PostgreSQL vacuumed, SQLite checkpointed before the clock runs",
		t.others, t.others, t.seedRows)
	for _, db := range []string{"sqlite", "postgres", "mysql"} {
		if t.hosts[db] == nil {
			continue
		}
		failed = t.goOn(ctx, failed, growthCase, db, t.growth(ctx, db))
	}
	return failed
}

func (t *trial) growth(ctx context.Context, db string) error {
	ours := find(db, oursName)
	return t.on(ctx, ours, t.durable, func(ctx context.Context, s side, at place) error {
		last, err := t.fill(ctx, s.(*ourSide), at)
		if err != nil {
			return err
		}
		full := func() (rate float64, err error) {
			grown, err := openOursAfter(ctx, at, last)
			if err != nil {
				return 0, err
			}
			rate, err = burnDown(ctx, grown, t.jobs)
			if err == nil { // the rows of this round count as others in the next
				last, err = lastID(ctx, grown.(*ourSide).counter.db)
			}
			return rate, errors.Join(err, grown.Close())
		}
		empty := func() (rate float64, err error) {
			err = t.on(ctx, ours, t.durable, func(ctx context.Context, s side, _ place) error {
				rate, err = burnDown(ctx, s, t.jobs)
				return err
			})
			return rate, err
		}
		figures, err := measure.Rotate(t.rounds, full, empty)
		if err != nil {
			return err
		}
		t.report.Add(measure.CompareRates(suite, growthCase, db, "jobs/s", withoutName, figures[0], figures[1], target(growthCase, db, withoutName)))
		return nil
	})
}

// fill makes the finished and the future rows and gives the highest id.
func (t *trial) fill(ctx context.Context, s *ourSide, at place) (int64, error) {
	if _, err := burnDown(ctx, s, t.seedRows); err != nil {
		return 0, err
	}
	for n := range t.seedRows {
		later := time.Now().Add(time.Hour + time.Duration(n)*time.Minute)
		_, err := s.db.BenchJob.EnqueueNoop(ctx, generated.Noop{N: maxJobs}, func(row *generated.BenchJobNew) { row.ScheduledAt = store.Set(later) })
		if err != nil {
			return 0, err
		}
	}
	db := s.counter.db
	seeds, err := lastID(ctx, db)
	if err != nil {
		return 0, err
	}
	columns, err := columnsButID(ctx, db, at.DB)
	if err != nil {
		return 0, err
	}
	const chunk = 100 // clones of each seed in one statement
	times := t.others/t.seedRows - 1
	err = batches(0, times, chunk, func(_, count int) error {
		_, err := db.ExecContext(ctx, fmt.Sprintf(`INSERT INTO bench_job (%s)
			WITH RECURSIVE k (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM k WHERE i < %d)
			SELECT %s FROM bench_job CROSS JOIN k WHERE id <= %d`, columns, count, columns, seeds))
		return err
	})
	if err != nil {
		return 0, err
	}
	return t.tidied(ctx, db, at.DB)
}

// tidied does what a server would have done by itself while so many rows came,
// and checks that they came.
func (t *trial) tidied(ctx context.Context, db *sql.DB, name string) (int64, error) {
	text := map[string]string{
		"sqlite": "PRAGMA wal_checkpoint(TRUNCATE)", "postgres": "VACUUM ANALYZE bench_job", "mysql": "ANALYZE TABLE bench_job",
	}[name]
	if _, err := db.ExecContext(ctx, text); err != nil {
		return 0, err
	}
	for state, want := range map[string]int{"completed": t.others, "pending": t.others} {
		var n int
		if err := db.QueryRowContext(ctx, "SELECT count(*) FROM bench_job WHERE status = '"+state+"'").Scan(&n); err != nil {
			return 0, err
		}
		if n != want {
			return 0, fmt.Errorf("%d rows are %s, not %d", n, state, want)
		}
	}
	return lastID(ctx, db)
}

func lastID(ctx context.Context, db *sql.DB) (id int64, err error) {
	err = db.QueryRowContext(ctx, "SELECT max(id) FROM bench_job").Scan(&id)
	return id, err
}

// columnsButID lists the table's columns as the database has them, so that rows
// are cloned whole whatever a queue adds to them.
func columnsButID(ctx context.Context, db *sql.DB, name string) (string, error) {
	query, quote := "SELECT column_name FROM information_schema.columns WHERE table_name = 'bench_job'", `"`
	switch name {
	case "sqlite":
		query = "SELECT name FROM pragma_table_info('bench_job')"
	case "mysql":
		query, quote = query+" AND table_schema = database()", "`"
	}
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	var columns []string
	for rows.Next() {
		var column string
		if err := rows.Scan(&column); err != nil {
			return "", err
		}
		if column != "id" {
			columns = append(columns, quote+column+quote)
		}
	}
	return strings.Join(columns, ", "), rows.Err()
}
