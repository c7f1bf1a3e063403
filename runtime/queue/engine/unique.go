package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hegner123/modulagen/runtime/queue"
	"github.com/hegner123/modulagen/runtime/queue/protocol"
	"github.com/hegner123/modulagen/runtime/store/core"

	"github.com/hegner123/modulagen/runtime/store"
)

// OnDuplicate is what happens to a job whose unique key a row already has.
type OnDuplicate uint8

// What happens to a duplicate.
const (
	Keep     OnDuplicate = iota // the old job stays as it is, and the new one is dropped
	Replace                     // the old job, unless it has started, takes the new payload
	Debounce                    // like Replace, and the wait starts again
)

// Unique is how a kind of job treats duplicates.
type Unique struct {
	On     OnDuplicate
	For    time.Duration // how long a key counts, from enqueueing on; 0: until the job ends
	Wait   time.Duration // Debounce: how long a job waits for duplicates
	AtMost time.Duration // Debounce: how long it waits at most, from the first on
}

// AddUnique adds a row, or finds the one that has its key; added reports which.
// create adds the row, with the time until which its key counts; replace overwrites
// old with the values of the new row, to run at a time. When two callers add the
// same key at the same time in transactions of their own, one of the transactions
// runs again. Generated code calls it.
func AddUnique[R any](ctx context.Context, c *core.Conn, spec *Spec[R], key string, u Unique,
	create func(c *core.Conn, until store.Opt[time.Time]) (*R, error),
	replace func(c *core.Conn, old *R, runAt store.Opt[time.Time]) (*R, error),
) (row *R, added bool, err error) {
	err = c.InTx(ctx, func(c *core.Conn) error {
		added = false // the transaction may run again
		now, err := c.Now(ctx)
		if err != nil {
			return err
		}
		old, err := holder(ctx, c, spec, key)
		if err != nil {
			return err
		}
		if old != nil {
			was := spec.Claimed(old)
			if !u.yields(was, spec.States, now) {
				row, err = resolve(c, u, old, was, spec.States, now, replace)
				return err
			}
			if err := releaseKey(ctx, c, spec, was.ID); err != nil {
				return err
			}
		}
		row, err = create(c, u.until(now))
		added = true
		return raced(err)
	})
	if err != nil {
		return nil, false, err
	}
	c.Announce(spec.Name)
	return row, added, nil
}

// ByKey returns the indexes of keys in the order of the keys, and where two are the same
// in their own: the order in which jobs are added whose keys are unique, so that two
// callers with the same keys cannot deadlock. Generated code calls it.
func ByKey(keys []string) []int {
	order := make([]int, len(keys))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return strings.Compare(keys[a], keys[b]) })
	return order
}

// yields reports whether a row that has the key yields it to a new one: its key has
// expired, or it runs or has ended and no longer counts. A row that is unknown yields it
// only when it has expired: a duplicate would do again what may have been done.
func (u Unique) yields(was Claimed, states States, now time.Time) bool {
	switch {
	case states.unknown(was.State):
		return u.On != Debounce && u.For > 0 && !was.UniqueUntil.IsZero() && !was.UniqueUntil.After(now)
	case u.On == Debounce:
		return was.State != states.Ready
	case u.For > 0 && !was.UniqueUntil.IsZero() && !was.UniqueUntil.After(now):
		return true
	case u.On == Replace:
		return was.State != states.Ready
	case u.For == 0:
		return states.ended(was.State)
	}
	return false
}

// resolve handles a duplicate of a row that keeps its key.
func resolve[R any](c *core.Conn, u Unique, old *R, was Claimed, states States, now time.Time, replace func(*core.Conn, *R, store.Opt[time.Time]) (*R, error)) (*R, error) {
	switch {
	case states.unknown(was.State):
		return old, nil
	case u.On == Replace:
		return replace(c, old, store.Opt[time.Time]{})
	case u.On == Debounce:
		at := now.Add(u.Wait)
		if most := was.UniqueUntil; !most.IsZero() && at.After(most) {
			at = most
		}
		return replace(c, old, store.Set(at))
	}
	return old, nil
}

// until returns how long the key of a new row counts even if the row ends before.
// For a debounced row it is the latest time at which the row runs.
func (u Unique) until(now time.Time) store.Opt[time.Time] {
	switch {
	case u.On == Debounce:
		return store.Set(now.Add(u.AtMost))
	case u.For > 0:
		return store.Set(now.Add(u.For))
	}
	return store.Opt[time.Time]{}
}

// holder returns the row that has a key, and locks it; nil if there is none.
func holder[R any](ctx context.Context, c *core.Conn, spec *Spec[R], key string) (*R, error) {
	args := arguments(c.DB(), 0)
	args[protocol.ArgKey] = key
	row, err := core.One(ctx, c, &spec.Statements.KeyHolder, args, func(row *R) []any { return spec.Fields(row, nil) })
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return &row, err
}

// reclaimKey frees the unique key of a row that has ended and becomes ready again.
// It fails if another row has the key. A row that waits needs no key: it has its
// own, or has yielded it to a row that was added while it ran.
func reclaimKey[R any](ctx context.Context, c *core.Conn, spec *Spec[R], id any) error {
	row, err := one(ctx, c, spec, id)
	if err != nil {
		return err
	}
	was := spec.Claimed(row)
	if was.Unique == "" || !spec.States.ended(was.State) {
		return nil
	}
	other, err := holder(ctx, c, spec, was.Unique)
	if err != nil || other == nil {
		return err
	}
	has := spec.Claimed(other)
	if has.ID == was.ID {
		return nil
	}
	now, err := c.Now(ctx)
	if err != nil {
		return err
	}
	if !spec.States.ended(has.State) || spec.States.unknown(has.State) || has.UniqueUntil.After(now) {
		return &queue.DuplicateError{Datatype: spec.Name, ID: was.ID, Holder: has.ID}
	}
	return releaseKey(ctx, c, spec, has.ID)
}

func releaseKey[R any](ctx context.Context, c *core.Conn, spec *Spec[R], id any) error {
	args := arguments(c.DB(), 0)
	args[protocol.ArgID] = id
	_, err := core.Exec(ctx, c, &spec.Statements.ReleaseKey, args)
	return err
}

// uniqueColumn is the field that the generator adds for the key.
const uniqueColumn = "queue_unique"

// raced turns a conflict on the key into an error after which the transaction is
// retried: two callers found no duplicate, and both added one. A conflict on one of
// the user's own unique fields is returned as it is.
func raced(err error) error {
	if c, ok := errors.AsType[*store.ConflictError](err); ok && slices.Equal(c.Fields, []string{uniqueColumn}) {
		return fmt.Errorf("queue: the same job was added at the same time: %w: %w", store.ErrBusy, err)
	}
	return err
}
