package core

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
)

// stuck is a backend whose Close waits for what Cut breaks off.
type stuck struct {
	Backend
	cut chan struct{}
}

func (s *stuck) Name() string { return "stuck" }
func (s *stuck) Close() error { <-s.cut; return nil }
func (s *stuck) Cut()         { close(s.cut) }

// worse has nothing that Cut breaks off.
type worse struct{ *stuck }

func (worse) Cut() {}

// TestCloseIsBounded closes what does not end by itself.
func TestCloseIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		s := &stuck{cut: make(chan struct{})}
		if err := closeWithin(s, closeWait); !errors.Is(err, store.ErrBusy) || time.Since(began) != closeWait {
			t.Errorf("after %s: %v", time.Since(began), err)
		}
		uncut := struct{ Backend }{s} // like SQLite: nothing to cut
		s.cut = make(chan struct{})
		began = time.Now()
		if err := closeWithin(uncut, closeWait); !errors.Is(err, store.ErrBusy) || time.Since(began) != closeWait {
			t.Errorf("without Cut, after %s: %v", time.Since(began), err)
		}
		began = time.Now()
		if err := closeWithin(worse{s}, closeWait); !errors.Is(err, store.ErrBusy) || time.Since(began) != closeWait+closeCut {
			t.Errorf("where Cut does not help, after %s: %v", time.Since(began), err)
		}
		close(s.cut)
	})
}

// TestCloseWaitsForEnds ends what runs until Close: what writes its last word is waited for, and
// what does not end, such as a handler that calls Close, for a while.
func TestCloseWaitsForEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := &DB{shared: &shared{}}
		ended := make(chan error, 2)
		until := func(after time.Duration) {
			ended <- db.UntilClose(t.Context(), func(ctx context.Context) error {
				<-ctx.Done()
				time.Sleep(after)
				return nil
			})
		}
		go until(time.Second)
		go until(time.Hour)
		synctest.Wait()
		began := time.Now()
		if first := db.ending.close(); !first || time.Since(began) != endWait {
			t.Errorf("after %s: %v", time.Since(began), first)
		}
		if err := <-ended; !errors.Is(err, store.ErrClosed) {
			t.Error(err)
		}
		if db.ending.close() {
			t.Error("a second call is the first")
		}
		if err := db.UntilClose(t.Context(), func(context.Context) error { return nil }); !errors.Is(err, store.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
		<-ended

		db = &DB{shared: &shared{}}
		go until(time.Second)
		synctest.Wait()
		began = time.Now()
		if db.ending.close(); time.Since(began) != time.Second {
			t.Errorf("after %s", time.Since(began))
		}
		<-ended
		if err := db.UntilClose(t.Context(), nil); !errors.Is(err, store.ErrClosed) {
			t.Error(err)
		}
	})
}
