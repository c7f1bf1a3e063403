package queue

import (
	"context"
	"errors"
	"runtime"
	"time"
)

// burnDowns measures how fast each side works off jobs that are there already:
// from the start of its workers until its database says that all are finished.
func (t *trial) burnDowns(ctx context.Context) (failed error) {
	for _, c := range []struct {
		db    string
		peers []string
	}{
		{"sqlite", []string{handName, riverName, goqiteName, backliteName}},
		{"postgres", []string{handName, riverName}},
		{"mysql", []string{handName}},
	} {
		if t.hosts[c.db] == nil {
			continue
		}
		sides := t.matches(c.db, c.peers...)
		figures, err := t.rotate(sides, func(o opener) (rate float64, err error) {
			err = t.on(ctx, o, t.durable, func(ctx context.Context, s side, _ place) error {
				rate, err = burnDown(ctx, s, t.jobs)
				return err
			})
			return rate, err
		})
		if err == nil {
			t.rates(burnCase, c.db, sides, figures)
		}
		failed = t.goOn(ctx, failed, burnCase, c.db, err)
	}
	return failed
}

// burnDown returns jobs a second.
func burnDown(ctx context.Context, s side, jobs int) (float64, error) {
	if err := s.EnqueueMany(ctx, 0, jobs); err != nil {
		return 0, err
	}
	count := newTally(jobs)
	runtime.GC() // the garbage of the side before is not this side's cost
	start := time.Now()
	stop, err := s.Work(ctx, count.handle)
	if err != nil {
		return 0, err
	}
	select {
	case <-count.all:
	case <-ctx.Done():
		return 0, errors.Join(ctx.Err(), count.check(jobs), stop())
	}
	if err := settled(ctx, s); err != nil {
		return 0, errors.Join(err, stop())
	}
	took := time.Since(start)
	if err := errors.Join(stop(), count.check(jobs), checkTable(ctx, s, jobs)); err != nil {
		return 0, err
	}
	return float64(jobs) / took.Seconds(), nil
}
