package migrate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
)

// locked runs the statements of a step while no one else reads or writes a table, on MySQL, where each of
// them commits. They are recorded as one: after a kill, the next process runs repeatable ones again, and
// the others unless the tables show that they have taken effect.
func (r *run) locked(ctx context.Context, from int, at row) error {
	u := &r.units[from]
	r.start(ctx, u)
	if !at.Begun {
		if err := r.refuse(ctx, r.m, u.step); err != nil {
			return r.failed(u, err)
		}
		if err := (set{[]string{"begun"}, []any{true}}).update(ctx, r.m, r.d, r.sc.Name); err != nil {
			return r.failed(u, err)
		}
	}
	err := r.patiently(ctx, u, "locking "+u.step.Locked, func() error { return r.underLock(ctx, from) })
	if err != nil {
		return r.failed(u, err)
	}
	if err := r.advance(ctx, r.m, from+len(u.step.Statements)); err != nil {
		return r.failed(u, err)
	}
	r.stop(ctx, u)
	return nil
}

// underLock runs the statements that have not taken effect. No other table, and so not the ledger, can be used
// meanwhile.
func (r *run) underLock(ctx context.Context, from int) (err error) {
	step := r.units[from].step
	if _, err := r.m.Exec(ctx, "LOCK TABLES "+r.d.Quote(step.Locked)+" WRITE", nil); errors.Is(err, store.ErrBusy) {
		return err
	} else if err != nil {
		return fmt.Errorf("locking %s, for which the user of the DSN needs the privilege LOCK TABLES: %w", step.Locked, err)
	}
	defer func() { err = errors.Join(err, r.unlock(ctx)) }()
	for i := range step.Statements {
		st := &step.Statements[i]
		if len(st.Done) > 0 {
			done, err := r.done(ctx, st.Done)
			if err != nil {
				return err
			}
			if done {
				continue
			}
		}
		if err := r.oneWay(ctx, st); err != nil {
			return r.failed(&r.units[from+i], err)
		}
	}
	return nil
}

func (r *run) unlock(ctx context.Context) error {
	late, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	_, err := r.m.Exec(late, "UNLOCK TABLES", nil)
	return err
}
