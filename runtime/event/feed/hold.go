package feed

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/hegner123/modulagen/runtime/event"
)

const (
	shareAfter = 5 * time.Second         // that a process without all handlers has a cursor, at most
	sharePause = 1500 * time.Millisecond // before it claims it again: others have tried by then
)

// turn has the cursor once, as long as it can; without it, it waits for a while.
func (s *subscription) turn(ctx context.Context) error {
	var claimed bool
	err := whole(ctx, func(ctx context.Context) (err error) {
		claimed, err = s.claim(ctx)
		return err
	})
	if err != nil {
		return ended(ctx, err)
	}
	if !claimed {
		wait(ctx, min(s.lease/3, lookRare), nil)
		return nil
	}
	held, lose := context.WithCancelCause(ctx)
	defer lose(nil)
	renewed := make(chan struct{})
	go func() {
		defer close(renewed)
		s.keep(held, lose)
	}()
	err = s.read(held)
	lose(nil)
	<-renewed
	for _, lost := range []error{err, context.Cause(held)} {
		switch {
		case errors.Is(lost, event.ErrUnsubscribed):
			return lost
		case errors.Is(lost, event.ErrLost):
			s.logger.WarnContext(ctx, "event: the subscription was taken over", "subscription", s.name)
			return nil
		}
	}
	if err = errors.Join(ended(ctx, err), whole(ctx, s.release)); err == nil && len(s.foreign()) > 0 {
		wait(ctx, sharePause, nil)
	}
	return err
}

// whole runs what must not be interrupted: a claim that this process does not know of, or a
// transaction whose end a server learns of late, would keep other processes waiting.
func whole(ctx context.Context, fn func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), wholeTime)
	defer cancel()
	return fn(ctx)
}

// shares reports whether another process should have the cursor for a while: there are topics
// that this one has no handler for, as while an old and a new version of a program run.
func (s *subscription) shares(ctx context.Context) bool {
	missing := strings.Join(s.foreign(), ", ")
	if missing != s.missing && missing != "" {
		s.logger.WarnContext(ctx, "event: the subscription has datatypes that this process has no handler for: their events wait for another process, or for Options.Drop",
			"subscription", s.name, "datatypes", missing)
	}
	s.missing = missing
	return missing != "" && time.Since(s.since) > min(s.lease, shareAfter)
}

// keep renews the lease until ctx ends. A cursor whose lease could not be renewed in time is lost, by
// this process's own clock, unless no other process could claim it either.
func (s *subscription) keep(ctx context.Context, lose context.CancelCauseFunc) {
	renewed := s.since
	safe := renewed.Add(s.safe())
	tick := time.NewTicker(s.lease / 10)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		began := time.Now()
		if began.Sub(renewed) < s.lease/3 {
			continue
		}
		err := within(ctx, min(s.lease/4, max(0, time.Until(safe))), s.renew)
		switch {
		case err == nil:
			renewed, safe = began, began.Add(s.safe())
			continue
		case errors.Is(err, event.ErrLost), errors.Is(err, event.ErrUnsubscribed):
			lose(err)
			return
		}
		began = time.Now()
		if within(ctx, s.lease/10, s.stillHeld) == nil {
			safe = later(safe, began.Add(s.lease/2))
		}
		if time.Now().After(safe) {
			lose(event.ErrLost)
			return
		}
	}
}

func within(ctx context.Context, d time.Duration, fn func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	return fn(ctx)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
