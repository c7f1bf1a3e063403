package core

import (
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
