package queue

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"
)

// side is one queue on one database. Jobs are numbers, and a job of it that is
// run calls the handler with its number.
type side interface {
	Enqueue(ctx context.Context, n int) error
	// EnqueueMany adds jobs from..from+count-1 in the way that is fastest here.
	EnqueueMany(ctx context.Context, from, count int) error
	// Work starts the workers. stop ends them and waits for them.
	Work(ctx context.Context, handle func(n int)) (stop func() error, err error)
	// Left is how many jobs the database holds that are not finished.
	Left(ctx context.Context) (int, error)
	// Finished is how many finished jobs it holds, or gone where they are deleted.
	Finished(ctx context.Context) (int, error)
	Close() error
}

// gone is the number of finished jobs where a product deletes them.
const gone = -1

// opener is one product on one database.
type opener struct {
	name, db string
	open     func(ctx context.Context, at place) (side, error)
}

// openers are all sides. Ours is called ours on each database.
var openers = []opener{
	{oursName, "sqlite", openOurs},
	{oursName, "postgres", openOurs},
	{oursName, "mysql", openOurs},
	{handName, "sqlite", openHandSQLite},
	{handName, "postgres", openHandPostgres},
	{handName, "mysql", openHandMySQL},
	{riverName, "sqlite", openRiverSQLite(riverBench)},
	{riverDefaults, "sqlite", openRiverSQLite(riverStart)},
	{riverName, "postgres", openRiverPostgres(riverBench)},
	{riverDefaults, "postgres", openRiverPostgres(riverStart)},
	{goqiteName, "sqlite", openGoqite},
	{backliteName, "sqlite", openBacklite},
	{asynqName, "redis", openAsynq},
}

const oursName = "ours"

// find returns the side of that name on that database; asking for one that is not
// there is a mistake in this package.
func find(db, name string) opener {
	for _, o := range openers {
		if o.db == db && o.name == name {
			return o
		}
	}
	panic(fmt.Sprintf("queue: no side %s on %s", name, db))
}

// tally proves that each job ran exactly once.
type tally struct {
	seen   []atomic.Uint64 // a bit for each job
	ran    atomic.Int64
	twice  atomic.Int64
	alien  atomic.Int64
	want   int64
	all    chan struct{} // closed when want jobs have run
	closed atomic.Bool
}

// maxJobs bounds the numbers of the jobs of one sample.
const maxJobs = 1 << 24

// newTally expects the jobs 0..want-1; with want 0 the end is not known before.
func newTally(want int) *tally {
	size := want
	if want == 0 {
		size = maxJobs
	}
	return &tally{seen: make([]atomic.Uint64, size/64+1), want: int64(want), all: make(chan struct{})}
}

func (t *tally) handle(n int) {
	if n < 0 || n/64 >= len(t.seen) {
		t.alien.Add(1)
		return
	}
	bit := uint64(1) << (n % 64)
	if t.seen[n/64].Or(bit)&bit != 0 {
		t.twice.Add(1)
		return
	}
	if t.ran.Add(1) == t.want && t.closed.CompareAndSwap(false, true) {
		close(t.all)
	}
}

// check compares what ran with what was enqueued.
func (t *tally) check(enqueued int) error {
	ran, twice, alien := t.ran.Load(), t.twice.Load(), t.alien.Load()
	if ran != int64(enqueued) || twice != 0 || alien != 0 {
		return fmt.Errorf("of %d jobs %d ran, %d a second time, %d that nobody enqueued", enqueued, ran, twice, alien)
	}
	return nil
}

// settled waits until the database says that nothing is left. It looks seldom
// enough to take no time from a side that is still busy.
func settled(ctx context.Context, s side) error {
	for {
		left, err := s.Left(ctx)
		if err != nil {
			return err
		}
		if left == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d jobs were not finished in time: %w", left, ctx.Err())
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// checkTable compares the finished rows with what was enqueued.
func checkTable(ctx context.Context, s side, enqueued int) error {
	finished, err := s.Finished(ctx)
	if err != nil {
		return err
	}
	if finished != gone && finished != enqueued {
		return fmt.Errorf("the table holds %d finished jobs of %d", finished, enqueued)
	}
	return nil
}

// batches calls add for count jobs in batches of size.
func batches(from, count, size int, add func(from, count int) error) error {
	for at := from; at < from+count; at += size {
		if err := add(at, min(size, from+count-at)); err != nil {
			return err
		}
	}
	return nil
}
