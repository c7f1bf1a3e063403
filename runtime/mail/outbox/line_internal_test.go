package outbox

import (
	"context"
	"errors"
	"iter"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hegner123/modulagen/runtime/queue"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// TestMarkTogether: what waits is marked with the message in front, in one statement, and a message whose claim
// was lost is not sent.
func TestMarkTogether(t *testing.T) {
	calls := 0
	l := &line{spec: &Spec{}, begin: func(_ context.Context, claims ...*queue.Claim) ([]bool, error) {
		calls++
		held := make([]bool, len(claims))
		held[0] = true
		return held, nil
	}}
	front, waits := &place{}, &place{}
	l.waiting = []*place{waits}
	if err := l.mark(t.Context(), front); err != nil {
		t.Errorf("mark of the first: %v", err)
	}
	if err := l.mark(t.Context(), waits); !errors.Is(err, errLost) {
		t.Errorf("mark of a lost claim returned %v, want errLost", err)
	}
	if calls != 1 {
		t.Errorf("%d statements, want 1", calls)
	}
}

// TestMarkFailed: a statement that failed has marked nothing for the messages that it was about.
func TestMarkFailed(t *testing.T) {
	failed := errors.New("no connection")
	var outcomes []error
	l := &line{spec: &Spec{}, begin: func(_ context.Context, claims ...*queue.Claim) ([]bool, error) {
		held := make([]bool, len(claims))
		for i := range held {
			held[i] = true
		}
		err := error(nil)
		if outcomes == nil {
			err = failed
		}
		outcomes = append(outcomes, err)
		return held, err
	}}
	front, waits := &place{}, &place{}
	l.waiting = []*place{waits}
	if err := l.mark(t.Context(), front); !errors.Is(err, failed) {
		t.Errorf("mark returned %v, want the statement's error", err)
	}
	l.waiting = nil
	if err := l.mark(t.Context(), waits); err != nil || len(outcomes) != 2 {
		t.Errorf("mark returned %v after %d statements, want nil after 2", err, len(outcomes))
	}
}

// TestLookUpAgain: a message that has waited for a while is looked up again, and is not marked with others when one
// of its recipients was suppressed.
func TestLookUpAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var there []*Suppression
		calls := 0
		l := &line{db: &core.DB{}, spec: &Spec{Suppressions: func(context.Context, *core.Conn, []string) iter.Seq2[*Suppression, error] {
			calls++
			return func(yield func(*Suppression, error) bool) {
				for _, s := range there {
					if !yield(s, nil) {
						return
					}
				}
			}
		}}}
		front, waits := &place{addresses: []string{"ann"}}, &place{addresses: []string{"bob"}}
		l.waiting = []*place{waits}
		for _, p := range []*place{front, waits} {
			if _, err := l.lookUp(t.Context(), p); err != nil {
				t.Fatal(err)
			}
		}
		if calls != 1 || !waits.isLookedUp() {
			t.Fatalf("%d statements, want 1", calls)
		}
		there = []*Suppression{{Address: "bob", Reason: "manual"}}
		time.Sleep(fresh)
		if _, err := l.lookUp(t.Context(), waits); err != nil {
			t.Fatal(err)
		}
		if calls != 2 || len(waits.looked.found["bob"]) != 1 || waits.isLookedUp() {
			t.Errorf("%d statements, suppressed: %v", calls, waits.looked.found)
		}
	})
}

// TestHold: nothing is sent while a server is at fault, longer each time, until it has answered.
func TestHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &hold{}
		for i, want := range []time.Duration{firstHold, 2 * firstHold, 4 * firstHold} {
			h.fault(0)
			began := time.Now()
			if err := h.wait(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := time.Since(began); got != want {
				t.Errorf("hold %d took %v, want %v", i+1, got, want)
			}
		}
		h.fault(0)
		h.over()
		began := time.Now()
		if err := h.wait(t.Context()); err != nil || time.Since(began) != 0 {
			t.Errorf("after an answer, wait took %v: %v", time.Since(began), err)
		}
	})
}
