package engine

import (
	"slices"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/queue/protocol"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// A worker is dead when its lease was seen not to change for long enough, and not
// because a clock says so: at first sight no row is taken, however long ago its
// lease ended. What this process runs itself, and what is renewed, stays.
func TestRescueWatches(t *testing.T) {
	bareEach(t, time.Time{}, func(t *testing.T, b *bare) {
		b.renewable() // for Lock
		b.shape.st.Running = same("SELECT id, epoch, due, 1, 3, NULL FROM work WHERE state = 'running' ORDER BY id LIMIT ?", protocol.ArgLimit)
		b.shape.st.Expire = same("UPDATE work SET state = 'ready' WHERE id = ? AND epoch = ?", protocol.ArgID, protocol.ArgEpoch)
		claims := b.claimed(t, 3)
		lease := plain("UPDATE work SET due = ? WHERE id = ?")
		due := func(id int64, at time.Time) {
			if _, err := core.Exec(t.Context(), b.db.Conn(), &lease, []any{at, id}); err != nil {
				t.Fatal(err)
			}
		}
		for id := range int64(3) {
			due(id+1, time.Now().Add(-24*time.Hour))
		}
		own := newClaimSet(quiet())
		own.add(claims[2:])
		const span = time.Minute
		r := &rescuer{table: b.table, lease: span, claims: own, observer: quiet(), ended: b.ended, observed: map[any]observedLease{}}
		round := func(when string, want ...string) {
			t.Helper()
			if err := r.rescue(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := b.states(t); !slices.Equal(got, want) {
				t.Errorf("%s: the rows are %v, want %v", when, got, want)
			}
			for id, o := range r.observed { // a lease passes
				o.since = o.since.Add(-span)
				r.observed[id] = o
			}
		}
		round("at first sight", "running", "running", "running")
		due(1, time.Now().Add(-23*time.Hour)) // its worker's clock is behind, but it lives
		round("after a lease", "running", "ready", "running")
		round("after two", "ready", "ready", "running")
	})
}
