package migrate

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/hegner123/modulagen/bench/measure"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

const (
	writers     = 4
	quiet       = 5 * time.Second // of writing before the migration
	onlineRatio = 3               // p99 during the migration against before
)

// online measures what writers notice of a rename in use: the new column, its triggers, and
// 1,000,000 rows that are filled.
func online(ctx context.Context, report *measure.Report) error {
	v, err := versionsOf(change{"rename in use", plain, replaced("name: title,", "name: headline, was: title, keep: true,")})
	if err != nil {
		return err
	}
	return onEach(ctx, report, func(db model.Database, dsn string) error {
		rows, err := fill(ctx, dsn, v, rowsWanted())
		if err != nil {
			return err
		}
		before, during, took, err := writing(ctx, dsn, rows, func() error { return v.up(ctx, dsn) })
		if err != nil {
			return err
		}
		report.Note("migrate: %s: %d writes before, %d during the migration of %.1f s; %d failed", db, len(before.took), len(during.took), took.Seconds(), before.failed+during.failed)
		report.Add(measure.Compare(suite, fmt.Sprintf("p99 of writes while %d rows are filled", rows), string(db), "ms", "before",
			during.p99(), before.p99(), measure.Target(1.0/onlineRatio)))
		return nil
	})
}

// latencies are those of writes.
type latencies struct {
	mu     sync.Mutex
	took   []float64 // milliseconds
	failed int
}

func (l *latencies) add(d time.Duration, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.took = append(l.took, float64(d.Microseconds())/1000)
	if err != nil {
		l.failed++
	}
}

func (l *latencies) p99() float64 {
	slices.Sort(l.took)
	if len(l.took) == 0 {
		return 0
	}
	return l.took[len(l.took)*99/100]
}

// writing has writers at work for a while, and then while a migration runs.
func writing(ctx context.Context, dsn string, rows int, migrate func() error) (before, during *latencies, took time.Duration, err error) {
	before, during = &latencies{}, &latencies{}
	db, err := core.Open(ctx, dsn, nil, store.Options{})
	if err != nil {
		return nil, nil, 0, err
	}
	var now sync.Mutex
	current := before
	working, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	text := fmt.Sprintf("UPDATE article SET views = views + 1 WHERE id = %s", db.Conn().Dialect().Placeholder(1))
	for range writers {
		wg.Go(func() {
			for working.Err() == nil {
				start := time.Now()
				_, err := db.Conn().Exec(ctx, text, []any{1 + rand.Int64N(int64(rows))})
				now.Lock()
				current.add(time.Since(start), err)
				now.Unlock()
			}
		})
	}
	time.Sleep(quiet)
	now.Lock()
	current = during
	now.Unlock()
	start := time.Now()
	err = migrate()
	took = time.Since(start)
	stop()
	wg.Wait()
	return before, during, took, errors.Join(err, db.Close())
}
