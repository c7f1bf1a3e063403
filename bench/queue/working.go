package queue

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"time"
)

const (
	workingBatch   = 1000
	workingBacklog = 10_000 // no more jobs wait than this, so that the table stays small
)

// insertsWhileWorking measures how many jobs a second go through each side while
// one goroutine adds batches and the same process works them.
func (t *trial) insertsWhileWorking(ctx context.Context) (failed error) {
	for _, c := range []struct {
		db    string
		peers []string
	}{
		{"sqlite", []string{riverName, asynqName}},
		{"postgres", []string{riverName, asynqName}},
		{"mysql", []string{asynqName}},
	} {
		if t.hosts[c.db] == nil {
			continue
		}
		sides := t.matches(c.db, c.peers...)
		err := t.flows(ctx, c.db, sides)
		failed = t.goOn(ctx, failed, workingCase, c.db, err)
	}
	return failed
}

func (t *trial) flows(ctx context.Context, db string, sides []opener) error {
	figures := make([]float64, len(sides))
	for i, o := range sides {
		rate, err := t.workingRate(ctx, o)
		if err != nil {
			return err
		}
		figures[i] = rate
	}
	t.rates(workingCase, db, sides, figures)
	return nil
}

// workingRate is measured once for each side: the window itself is long. What
// asynq does is the same beside each database, so it is measured once for all.
func (t *trial) workingRate(ctx context.Context, o opener) (rate float64, err error) {
	if o.name == asynqName && t.asynqWorking > 0 {
		return t.asynqWorking, nil
	}
	err = t.on(ctx, o, t.durable, func(ctx context.Context, s side, _ place) error {
		f, err := startFlow(ctx, s)
		if err != nil {
			return err
		}
		before, start := f.count.ran.Load(), time.Now()
		failed := f.during(ctx, t.working)
		rate = float64(f.count.ran.Load()-before) / time.Since(start).Seconds()
		return errors.Join(failed, f.end(ctx))
	})
	if o.name == asynqName {
		t.asynqWorking = rate
	}
	return rate, err
}

// flow is a side that works while a goroutine adds jobs.
type flow struct {
	side     side
	count    *tally
	enqueued atomic.Int64
	stop     func() error
	cancel   context.CancelFunc
	fed      chan error
}

func startFlow(ctx context.Context, s side) (*flow, error) {
	runtime.GC()
	f := &flow{side: s, count: newTally(0), fed: make(chan error, 1)}
	stop, err := s.Work(ctx, f.count.handle)
	if err != nil {
		return nil, err
	}
	f.stop = stop
	feeding, cancel := context.WithCancel(ctx)
	f.cancel = cancel
	go func() { f.fed <- f.feed(ctx, feeding) }()
	return f, nil
}

// feed adds jobs until feeding ends; a batch that has begun is added whole.
func (f *flow) feed(ctx, feeding context.Context) error {
	for feeding.Err() == nil {
		n := int(f.enqueued.Load())
		if n-int(f.count.ran.Load()) > workingBacklog-workingBatch {
			select {
			case <-feeding.Done():
			case <-time.After(200 * time.Microsecond):
			}
			continue
		}
		if n+workingBatch >= maxJobs {
			return errors.New("more jobs than this measurement can tell apart")
		}
		if err := f.side.EnqueueMany(ctx, n, workingBatch); err != nil {
			return err
		}
		f.enqueued.Add(workingBatch)
	}
	return nil
}

// during lets it flow for a time; it gives the error that ended it sooner.
func (f *flow) during(ctx context.Context, d time.Duration) error {
	select {
	case err := <-f.fed:
		f.fed <- err
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// end stops adding, waits until all is worked off, and checks it.
func (f *flow) end(ctx context.Context) error {
	f.cancel()
	failed := <-f.fed
	if failed == nil {
		failed = settled(ctx, f.side)
	}
	n := int(f.enqueued.Load())
	failed = errors.Join(failed, f.stop())
	if failed != nil {
		return failed
	}
	return errors.Join(f.count.check(n), checkTable(ctx, f.side, n))
}
