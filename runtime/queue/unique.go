package queue

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
)

// OnDuplicate is what becomes of a job that is like one that is there.
type OnDuplicate uint8

// What becomes of a duplicate.
const (
	Keep     OnDuplicate = iota // the old one stays as it is
	Replace                     // the old one, unless it has started, takes the new one's payload
	Debounce                    // as Replace, and it waits anew
)

// Unique is how a kind of job treats duplicates.
type Unique struct {
	On     OnDuplicate
	For    time.Duration // how long, from enqueueing on; 0: while the old one is unfinished
	Wait   time.Duration // Debounce: how long a job waits for others like it
	AtMost time.Duration // Debounce: at most so long from the first on
}

// AddUnique adds a row, or finds the one that has its key; added reports which.
// create adds it, with the time until which the key holds; replace makes old what
// the new one would be, to run at a time. Generated code calls it. In a transaction of the
// caller's, two that add the same at the same time make one of the two
// transactions run again.
func AddUnique[R any](ctx context.Context, c *store.Conn, spec *Spec[R], key string, u Unique,
	create func(c *store.Conn, until store.Opt[time.Time]) (*R, error),
	replace func(c *store.Conn, old *R, runAt store.Opt[time.Time]) (*R, error),
) (row *R, added bool, err error) {
	err = c.InTx(ctx, func(c *store.Conn) error {
		added = false // the transaction may run again
		now, err := moment(ctx, c)
		if err != nil {
			return err
		}
		old, err := holder(ctx, c, spec, key)
		if err != nil {
			return err
		}
		if old != nil {
			was := spec.Claimed(old)
			if !u.gives(was, spec.States, now) {
				row, err = meet(c, u, old, was, now, replace)
				return err
			}
			if err := yield(ctx, c, spec, was.ID); err != nil {
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

// gives tells whether a row that has the key is to let another have it: its time
// is over, or it runs or has ended, and the new one is to count.
func (u Unique) gives(was Claimed, states States, now time.Time) bool {
	switch {
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

// meet treats a duplicate of a row that keeps its key.
func meet[R any](c *store.Conn, u Unique, old *R, was Claimed, now time.Time, replace func(*store.Conn, *R, store.Opt[time.Time]) (*R, error)) (*R, error) {
	switch u.On {
	case Replace:
		return replace(c, old, store.Opt[time.Time]{})
	case Debounce:
		at := now.Add(u.Wait)
		if most := was.UniqueUntil; !most.IsZero() && at.After(most) {
			at = most
		}
		return replace(c, old, store.Set(at))
	}
	return old, nil
}

// until is how long the key of a new row holds whatever becomes of it. Of one
// that is debounced it is the time by which it runs at the latest.
func (u Unique) until(now time.Time) store.Opt[time.Time] {
	switch {
	case u.On == Debounce:
		return store.Set(now.Add(u.AtMost))
	case u.For > 0:
		return store.Set(now.Add(u.For))
	}
	return store.Opt[time.Time]{}
}

// holder finds the row that holds a key, and locks it; nil without one.
func holder[R any](ctx context.Context, c *store.Conn, spec *Spec[R], key string) (*R, error) {
	args := arguments(c.DB(), 0)
	args[argKey] = key
	row, err := store.One(ctx, c, &spec.Statements.Twin, args, func(row *R) []any { return spec.Fields(row, nil) })
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return &row, err
}

// reclaimKey frees the unique key of a row that has ended and is to be ready
// again, or fails with the row that holds it. One that waits needs no key: it has
// its own, or has yielded it to one that came while it ran.
func reclaimKey[R any](ctx context.Context, c *store.Conn, spec *Spec[R], id any) error {
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
	now, err := moment(ctx, c)
	if err != nil {
		return err
	}
	if !spec.States.ended(has.State) || has.UniqueUntil.After(now) {
		return &DuplicateError{Datatype: spec.Name, ID: was.ID, Holder: has.ID}
	}
	return yield(ctx, c, spec, has.ID)
}

func yield[R any](ctx context.Context, c *store.Conn, spec *Spec[R], id any) error {
	args := arguments(c.DB(), 0)
	args[argID] = id
	_, err := store.Exec(ctx, c, &spec.Statements.Yield, args)
	return err
}

// uniqueColumn is the field that the generator adds for the key.
const uniqueColumn = "queue_unique"

// raced makes a conflict on the key, of two that found no twin and both added one,
// an error after which the transaction is tried again. A conflict on a unique
// field of the user's own stays what it is.
func raced(err error) error {
	if c, ok := errors.AsType[*store.ConflictError](err); ok && slices.Equal(c.Fields, []string{uniqueColumn}) {
		return fmt.Errorf("queue: the same job was added at the same time: %w: %w", store.ErrBusy, err)
	}
	return err
}
