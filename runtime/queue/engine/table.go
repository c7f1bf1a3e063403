package engine

import (
	"context"
	"slices"
	"time"

	"github.com/hegner123/modulagen/runtime/queue/protocol"
	"github.com/hegner123/modulagen/runtime/store/core"

	"github.com/hegner123/modulagen/runtime/store"
)

// table runs the statements of one queue. The parts of the engine embed it.
type table struct {
	db    *core.DB
	shape *shape
}

// promote makes due rows claimable, and announces them: a fetcher may sleep whose
// rows maintenance, or the fetcher of another local queue, has promoted.
func (t *table) promote(ctx context.Context) (int64, error) {
	args := arguments(t.db, 0)
	args[protocol.ArgLimit] = int64(maxBatch)
	n, err := t.changeSome(ctx, t.db.Conn(), &t.shape.st.Promote, &t.shape.st.SetHold, args)
	if n > 0 {
		t.db.Conn().Announce(t.shape.name)
	}
	return n, err
}

// changeSome runs a statement that changes a bounded number of rows, and returns how many. On
// MySQL change finds and locks them, without those that other transactions have locked, and
// apply changes them: see the generator.
func (t *table) changeSome(ctx context.Context, c *core.Conn, change, apply *core.Statement, args []any) (n int64, err error) {
	if !apply.Has(c) {
		return core.Exec(ctx, c, change, args)
	}
	err = c.InTx(ctx, func(c *core.Conn) error {
		n = 0 // the transaction may run again
		ids, err := t.ids(ctx, c, change, args)
		if err != nil || len(ids) == 0 {
			return err
		}
		n, err = core.Exec(ctx, c, apply, many(args, ids))
		return err
	})
	return n, err
}

// ids runs a statement that returns ids.
func (t *table) ids(ctx context.Context, c *core.Conn, st *core.Statement, args []any) ([]any, error) {
	found, err := core.Many(ctx, c, st, args, func(v *core.AnyID) []any { return []any{v} })
	if err != nil {
		return nil, err
	}
	ids := make([]any, len(found))
	for i, v := range found {
		ids[i] = v.V
	}
	return ids, nil
}

// many returns arguments with several ids in place of one.
func many(args []any, ids []any) []any {
	args = slices.Clone(args)
	args[protocol.ArgID] = core.IDList(ids)
	return args
}

// runningRow is a running row as it was read.
type runningRow struct {
	id          core.AnyID
	epoch       int64
	lease       store.Null[time.Time]
	attempts    int64
	maxAttempts int64
	errors      store.Null[store.JSON]
	begun       int64 // the epoch of the last claim that called BeginOnce; 0 in a queue without unknown
}

// isUnknown reports whether the row becomes unknown when its worker is lost.
func (r *runningRow) isUnknown() bool { return r.begun != 0 && r.begun == r.epoch }

// maxRunning is how many running rows are read.
const maxRunning = 100_000

// allRunning returns the running rows of all processes.
func (t *table) allRunning(ctx context.Context) ([]runningRow, error) {
	args := arguments(t.db, 0)
	args[protocol.ArgLimit] = int64(maxRunning)
	return core.Many(ctx, t.db.Conn(), &t.shape.st.Running, args, func(r *runningRow) []any {
		fields := []any{&r.id, &r.epoch, &r.lease, &r.attempts, &r.maxAttempts, &r.errors}
		if t.shape.states.Unknown != "" {
			fields = append(fields, &r.begun)
		}
		return fields
	})
}

// changeClaims runs Complete, Heartbeat or BeginOnce for many claims, and reports which of them this
// process still had. The statements differ between databases: see the generator.
func (t *table) changeClaims(ctx context.Context, conn *core.Conn, st *core.Statement, claims []*claim, span time.Duration) ([]bool, error) {
	args := arguments(t.db, span)
	switch {
	case st.Takes(conn, protocol.ArgEpoch): // of one claim
		touched, err := core.ExecEach(ctx, conn, st, len(claims), func(i int) []any {
			args[protocol.ArgID], args[protocol.ArgEpoch] = claims[i].ID, claims[i].Epoch
			return args
		})
		if err != nil {
			return nil, err
		}
		ok := make([]bool, len(claims))
		for i, n := range touched {
			ok[i] = n > 0
		}
		return ok, nil
	case t.shape.st.Lock.Has(conn):
		return t.changeLocked(ctx, conn, st, claims, args)
	}
	claims, all := latest(claims), claims
	args[protocol.ArgIDs], args[protocol.ArgEpochs] = arrays(claims)
	ids, err := t.ids(ctx, conn, st, args)
	if err != nil {
		return nil, err
	}
	return among(all, claims, ids), nil
}

// latest leaves out older claims of rows that this process has claimed again: they are
// lost, and a database returns ids without epochs.
func latest(claims []*claim) []*claim {
	newest := make(map[any]*claim, len(claims))
	for _, c := range claims {
		if old := newest[c.ID]; old == nil || old.Epoch < c.Epoch {
			newest[c.ID] = c
		}
	}
	if len(newest) == len(claims) {
		return claims
	}
	return slices.DeleteFunc(slices.Clone(claims), func(c *claim) bool { return newest[c.ID] != c })
}

// changeLocked is changeClaims on MySQL. It locks the rows in the order of their ids,
// compares their epochs, and changes those that are still ours.
func (t *table) changeLocked(ctx context.Context, conn *core.Conn, st *core.Statement, all []*claim, args []any) (ok []bool, err error) {
	claims := latest(all)
	err = conn.InTx(ctx, func(conn *core.Conn) error {
		ids := make([]any, len(claims))
		epochs := make(map[any]int64, len(claims))
		for i, c := range claims {
			ids[i], epochs[c.ID] = c.ID, c.Epoch
		}
		held, err := t.lockRunning(ctx, conn, ids, st == &t.shape.st.Heartbeat)
		if err != nil {
			return err
		}
		ids = ids[:0]
		for _, h := range held {
			if epochs[h.id.V] == h.epoch {
				ids = append(ids, h.id.V)
			}
		}
		ok = among(all, claims, ids)
		if len(ids) == 0 {
			return nil
		}
		_, err = core.Exec(ctx, conn, st, many(args, ids))
		return err
	})
	return ok, err
}

// lockedRow is a running row that MySQL has locked for us.
type lockedRow struct {
	id    core.AnyID
	epoch int64
}

// lockRunning locks running rows on MySQL. It waits for rows that another transaction
// has locked, or skips them.
func (t *table) lockRunning(ctx context.Context, conn *core.Conn, ids []any, skip bool) ([]lockedRow, error) {
	st, args := &t.shape.st.Lock, many(arguments(t.db, 0), ids)
	if skip {
		st = st.SkipLocked()
	}
	return core.Many(ctx, conn, st, args, func(h *lockedRow) []any { return []any{&h.id, &h.epoch} })
}

// arrays returns the ids and epochs of claims as arguments for PostgreSQL.
func arrays(claims []*claim) (ids, epochs any) {
	e := make([]int64, len(claims))
	numbers, texts := make([]int64, 0, len(claims)), []string(nil)
	for i, c := range claims {
		e[i] = c.Epoch
		switch id := c.ID.(type) {
		case int64:
			numbers = append(numbers, id)
		case string:
			texts = append(texts, id)
		}
	}
	if texts != nil {
		return texts, e
	}
	return numbers, e
}

// among reports which of all claims were changed: those of asked whose ids are among
// ids.
func among(all, asked []*claim, ids []any) []bool {
	set := make(map[any]*claim, len(asked))
	for _, c := range asked {
		set[c.ID] = c
	}
	changed := make(map[*claim]struct{}, len(ids))
	for _, id := range ids {
		changed[set[id]] = struct{}{}
	}
	ok := make([]bool, len(all))
	for i, c := range all {
		_, ok[i] = changed[c]
	}
	return ok
}
