package queue

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// enqueues measures 16 goroutines that enqueue one job after the other, each
// call its own durable commit, with nobody working.
func (t *trial) enqueues(ctx context.Context) (failed error) {
	for _, c := range []struct {
		db    string
		peers []string
	}{
		{"sqlite", []string{handName, riverDefaults, goqiteName, backliteName, asynqName}},
		{"postgres", []string{handName, riverDefaults, asynqName}},
		{"mysql", []string{handName, asynqName}},
	} {
		if t.hosts[c.db] == nil {
			continue
		}
		sides := t.matches(c.db, c.peers...)
		figures, err := t.rotate(sides, func(o opener) (rate float64, err error) {
			err = t.on(ctx, o, true, func(ctx context.Context, s side, _ place) error {
				rate, err = enqueueRate(ctx, s, t.enqueueFrom, t.enqueueing)
				return err
			})
			return rate, err
		})
		if err == nil {
			t.rates(enqueueCase, c.db, sides, figures)
		}
		failed = t.goOn(ctx, failed, enqueueCase, c.db, err)
	}
	return failed
}

// enqueueRate returns calls a second, and checks that the database holds as many jobs.
func enqueueRate(ctx context.Context, s side, goroutines int, window time.Duration) (float64, error) {
	for n := range goroutines { // statements are prepared and connections open before the clock runs
		if err := s.Enqueue(ctx, n); err != nil {
			return 0, err
		}
	}
	var next atomic.Int64
	next.Store(int64(goroutines))
	var running sync.WaitGroup
	failed := make([]error, goroutines)
	start := time.Now()
	for i := range goroutines {
		running.Go(func() {
			for failed[i] == nil && time.Since(start) < window {
				failed[i] = s.Enqueue(ctx, int(next.Add(1)-1))
			}
		})
	}
	running.Wait()
	took := time.Since(start)
	if err := errors.Join(failed...); err != nil {
		return 0, err
	}
	left, err := s.Left(ctx)
	if err == nil && int64(left) != next.Load() {
		err = fmt.Errorf("the database holds %d jobs of %d", left, next.Load())
	}
	return float64(next.Load()-int64(goroutines)) / took.Seconds(), err
}
