package engine

import (
	"context"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/queue/internal/handle"
	"github.com/hegner123/modulagen/runtime/queue/protocol"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// beginning returns a beginner over claims whose handlers run.
func (b *bare) beginning(t *testing.T, n int) (*beginner, []*claim, []*handle.Claim) {
	t.Helper()
	b.shape.states.Unknown = "unknown"
	b.shape.st.BeginOnce = same("UPDATE work SET due = ? WHERE id = ? AND epoch = ? AND state = 'running'", protocol.ArgUntil, protocol.ArgID, protocol.ArgEpoch)
	claims := b.claimed(t, n)
	var handles []*handle.Claim
	for _, c := range claims {
		c.phase = performed
		handles = append(handles, c.handle)
	}
	return b.fetcher.beginner, claims, handles
}

// A handler may go on when its row was marked and its claim held before and after that. What
// could not be marked has not begun; what may have been, has.
func TestBeginOnceMarks(t *testing.T) {
	bareEach(t, time.Time{}, func(t *testing.T, b *bare) {
		by, claims, handles := b.beginning(t, 3)
		b.exec(t, b.db, "UPDATE work SET epoch = 2 WHERE id = 2") // another worker has it
		claims[2].confirmed = time.Now().Add(-time.Hour)
		ours, err := by.Begin(t.Context(), handles)
		if want := []bool{true, false, true}; err != nil || !slices.Equal(ours, want) {
			t.Fatalf("%v, %v; want %v", ours, err, want)
		}
		if claims[1].begunOnce() || !claims[0].begunOnce() || claims[2].left(by.lease) <= 0 {
			t.Error("the claim of another worker has begun, one of ours has not, or its lease was not renewed")
		}

		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := by.Begin(ended, handles[1:2]); err == nil || claims[1].begunOnce() {
			t.Errorf("without a statement: %v, begun %t", err, claims[1].begunOnce())
		}
	})
}

// The lease is lost while the statement waits for a lock: the row is marked, and the handler
// may not go on.
func TestBeginOnceMarksTooLate(t *testing.T) {
	bareEach(t, time.Time{}, func(t *testing.T, b *bare) {
		by, claims, handles := b.beginning(t, 1)
		locked, release, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
		go func() {
			done <- b.db.Tx(t.Context(), func(c *core.Conn) error {
				st := plain("UPDATE work SET state = state WHERE id = ?")
				_, err := core.Exec(t.Context(), c, &st, []any{int64(1)})
				close(locked)
				<-release
				return err
			})
		}()
		<-locked
		go func() {
			for !claims[0].begunOnce() {
				runtime.Gosched()
			}
			claims[0].move(performed, lost)
			close(release)
		}()
		ours, err := by.Begin(t.Context(), handles)
		if err != nil || ours[0] || !claims[0].begunOnce() {
			t.Errorf("%v, %v, begun %t; want a claim that may not go on and counts as begun", ours, err, claims[0].begunOnce())
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// Only a handler that runs can begin, and not too many at once.
func TestBeginOnceNeedsARunningHandler(t *testing.T) {
	by := &beginner{table: &table{shape: &shape{name: "work", states: States{Unknown: "unknown"}}}}
	for _, p := range []phase{buffered, finished, timedOut, lost} {
		c := fresh(1)
		c.phase = p
		if ours, err := by.Begin(t.Context(), []*handle.Claim{c.handle}); err != nil || ours[0] {
			t.Errorf("in phase %d: %v, %v", p, ours, err)
		}
	}
	if _, err := by.Begin(t.Context(), make([]*handle.Claim, maxSettle+1)); err == nil || !strings.Contains(err.Error(), "at most 1000") {
		t.Errorf("too many: %v", err)
	}
}
