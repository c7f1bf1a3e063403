package engine

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/queue"
	"github.com/hegner123/modulagen/runtime/queue/protocol"

	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// renewable adds the statements of heartbeats to the bare table.
func (b *bare) renewable() {
	st := b.shape.st
	st.Heartbeat = same("UPDATE work SET due = ? WHERE id = ? AND epoch = ?", protocol.ArgUntil, protocol.ArgID, protocol.ArgEpoch)
	st.Heartbeat.Text[sqltext.Postgres] = "UPDATE work SET due = now() WHERE id = ANY(ARRAY(SELECT w.id FROM work AS w, unnest($1::bigint[], $2::bigint[]) AS c (id, epoch) " +
		"WHERE w.id = c.id AND w.epoch = c.epoch AND state = 'running' FOR UPDATE OF w SKIP LOCKED)) RETURNING id"
	st.Heartbeat.Order[sqltext.Postgres] = []int{protocol.ArgIDs, protocol.ArgEpochs}
	st.Heartbeat.Text[sqltext.MySQL] = "UPDATE work SET due = CURRENT_TIMESTAMP(6) WHERE id IN (?)"
	st.Heartbeat.Order[sqltext.MySQL] = []int{protocol.ArgID}
	st.Heartbeat.Text[sqltext.SQLite] += " AND state = 'running'"
	st.Lock = onMySQL("SELECT id, epoch FROM work WHERE state = 'running' AND id IN (?) ORDER BY id FOR UPDATE", protocol.ArgID)
	st.Get = plain("SELECT id, epoch, state FROM work WHERE id = ?")
	type row struct {
		id, epoch int64
		state     string
	}
	b.shape.read = func(ctx context.Context, c *core.Conn, st *core.Statement, args []any) ([]any, error) {
		rows, err := core.Many(ctx, c, st, args, func(r *row) []any { return []any{&r.id, &r.epoch, &r.state} })
		list := make([]any, len(rows))
		for i := range rows {
			list[i] = &rows[i]
		}
		return list, err
	}
	b.shape.claimed = func(any any) Claimed {
		r := any.(*row)
		return Claimed{ID: r.id, Epoch: r.epoch, State: r.state}
	}
	b.shape.states = States{Ready: "ready", Running: "running", Done: "done", Dead: "dead", Cancelled: "cancelled"}
}

// A heartbeat confirms the claims that this process still has. The handlers of the
// others learn why: someone cancelled or deleted the row, or another worker has it.
func TestHeartbeatFindsWhatWasTakenAway(t *testing.T) {
	bareEach(t, time.Time{}, func(t *testing.T, b *bare) {
		b.renewable()
		claims := b.claimed(t, 5)
		set := newClaimSet(quiet())
		set.add(claims)
		long := time.Now().Add(-time.Hour)
		for _, c := range claims {
			c.phase, c.confirmed = performed, long
			c.ctx, c.cancel = context.WithCancelCause(t.Context())
		}
		b.exec(t, b.db, "UPDATE work SET epoch = 2 WHERE id = 2")
		b.exec(t, b.db, "UPDATE work SET state = 'cancelled' WHERE id = 3")
		b.exec(t, b.db, "DELETE FROM work WHERE id = 4")
		b.exec(t, b.db, "UPDATE work SET state = 'done' WHERE id = 5") // by CompleteTx, whose commit the handler has yet to see
		h := &heartbeat{table: b.table, lease: lease(time.Minute), claims: set, verifier: &verifier{b.table, set}, observer: quiet()}
		if skipped, ok := h.renew(t.Context(), set.all()); !ok || len(skipped) > 0 {
			t.Fatal("no heartbeat")
		}
		for i, want := range []error{nil, queue.ErrLeaseLost, queue.ErrCancelled, queue.ErrCancelled, nil} {
			if got := claims[i].cause(); !errors.Is(got, want) || want == nil && got != nil {
				t.Errorf("claim %d ended with %v, want %v", i+1, got, want)
			}
		}
		if !claims[0].confirmed.After(long) {
			t.Error("a claim that holds was not confirmed")
		}
		if n := len(set.all()); n != 2 {
			t.Errorf("%d claims are left, want the two that were not lost", n)
		}
		b.shape.st.Heartbeat = plain("UPDATE missing SET due = NULL")
		if _, ok := h.renew(t.Context(), set.all()); ok {
			t.Error("a heartbeat that failed counts as one that did not")
		}
	})
}

// A heartbeat says which rows it skips, since a transaction has them locked: these are renewed soon. On SQLite it
// waits for the transaction.
func TestHeartbeatThatSkips(t *testing.T) {
	bareEach(t, time.Time{}, func(t *testing.T, b *bare) {
		if b.db.Conn().Dialect() == sqltext.SQLite {
			return
		}
		b.renewable()
		claims := b.claimed(t, 2)
		set := newClaimSet(quiet())
		set.add(claims)
		for _, c := range claims {
			c.phase = performed
		}
		h := &heartbeat{table: b.table, lease: lease(time.Minute), claims: set, verifier: &verifier{b.table, set}, observer: quiet()}
		err := b.db.Tx(t.Context(), func(c *core.Conn) error {
			if _, err := c.Exec(t.Context(), "UPDATE work SET due = NULL WHERE id = 2", nil); err != nil {
				return err
			}
			if skipped, ok := h.renew(t.Context(), set.all()); !ok || len(skipped) != 1 || skipped[0].ID != int64(2) {
				t.Errorf("skipped: %v, %v", skipped, ok)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if skipped, ok := h.renew(t.Context(), set.all()); !ok || len(skipped) > 0 {
			t.Errorf("nothing has locked rows: %v, %v", skipped, ok)
		}
		if n := len(set.all()); n != 2 {
			t.Errorf("%d claims are left, want both", n)
		}
	})
}
