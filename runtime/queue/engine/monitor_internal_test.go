package engine

import (
	"context"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/queue"
	"github.com/hegner123/modulagen/runtime/queue/protocol"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// A handler learns that its job was cancelled before the next heartbeat, also where
// the cancellation is not announced; the others go on.
func TestMonitorSeesWhatWasCancelled(t *testing.T) {
	bareEach(t, time.Time{}, func(t *testing.T, b *bare) {
		b.renewable() // for Get
		b.shape.st.Running = same("SELECT id, epoch, due, 1, 3, NULL FROM work WHERE state = 'running' ORDER BY id LIMIT ?", protocol.ArgLimit)
		claims := b.claimed(t, 3)
		set := newClaimSet(quiet())
		set.add(claims)
		for _, c := range claims {
			c.phase = performed
			c.ctx, c.cancel = context.WithCancelCause(t.Context())
		}
		b.exec(t, b.db, "UPDATE work SET state = 'cancelled' WHERE id = 2")
		b.exec(t, b.db, "UPDATE work SET epoch = 2 WHERE id = 3")
		m := &monitor{table: b.table, lease: lease(time.Minute), claims: set, verifier: &verifier{b.table, set}, observer: quiet()}
		m.check(t.Context())
		for i, want := range []error{nil, queue.ErrCancelled, queue.ErrLeaseLost} {
			if got := claims[i].cause(); got != want {
				t.Errorf("claim %d ended with %v, want %v", i+1, got, want)
			}
		}
	})
}

// A local queue follows its own switch and that of all queues.
func TestPausesOfNamedQueues(t *testing.T) {
	bareEach(t, time.Time{}, func(t *testing.T, b *bare) {
		b.withLimits(t)
		spec := &Spec[bareRow]{Name: b.shape.name, Statements: *b.shape.st, Queues: []Name{{Name: "slow"}, {Name: "quick"}}}
		slow, quick := newLocalQueue("slow", 1, 64<<20), newLocalQueue("quick", 1, 64<<20)
		p := &pauses{table: b.table, locals: []*localQueue{slow, quick}}
		for _, step := range []struct {
			do          func(context.Context, *core.Conn, *Spec[bareRow], []string) error
			queues      []string
			slow, quick bool // paused after it
		}{
			{Pause[bareRow], []string{"slow"}, true, false},
			{Pause[bareRow], nil, true, true},
			{Resume[bareRow], []string{"slow"}, true, true}, // all are paused still
			{Resume[bareRow], nil, false, false},
		} {
			if err := step.do(t.Context(), b.db.Conn(), spec, step.queues); err != nil {
				t.Fatal(err)
			}
			if err := p.read(t.Context(), b.db.Conn()); err != nil {
				t.Fatal(err)
			}
			if slow.isPaused() != step.slow || quick.isPaused() != step.quick {
				t.Errorf("after %v: slow is paused %t, quick %t", step.queues, slow.isPaused(), quick.isPaused())
			}
		}
	})
}
