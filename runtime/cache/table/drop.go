package table

import (
	"context"
	"errors"

	"github.com/hegner123/modulagen/runtime/cache/backend"
	"github.com/hegner123/modulagen/runtime/cache/protocol"
	"github.com/hegner123/modulagen/runtime/store/core"

	"github.com/hegner123/modulagen/runtime/store"
)

// dropBatch bounds the entries that one transaction removes, and so how long it
// keeps other writers waiting.
const dropBatch = 500

// drop removes entries in batches, each a transaction of its own unless t is
// one, until fewer than a batch are found.
func (t *table) drop(ctx context.Context, st *core.Statement, set func(args []any)) (int64, error) {
	var total int64
	for {
		var gone tally
		more := false
		err := t.c.InTx(ctx, func(c *core.Conn) (err error) {
			gone, more, err = t.in(c).dropOnce(ctx, st, dropBatch, set)
			return err
		})
		if err != nil {
			return total, err
		}
		total += gone.entries
		if !more {
			return total, nil
		}
		if err := t.c.Yield(ctx); err != nil {
			return total, err
		}
	}
}

// dropTwice is drop, and drop again after the commit of a transaction of the caller's if has, a statement
// without locks, then finds an entry.
func (t *table) dropTwice(ctx context.Context, what string, has, st *core.Statement, set func(args []any)) (int64, error) {
	t.removeAgain(ctx, what, removal{
		may: func(ctx context.Context, t *table) (bool, error) {
			args := t.args()
			set(args)
			found, err := core.Many(ctx, t.c, has, args, func(id *core.AnyID) []any { return []any{id} })
			return len(found) > 0, err
		},
		do: func(ctx context.Context, t *table) error {
			_, err := t.drop(ctx, st, set)
			return err
		},
	})
	return t.drop(ctx, st, set)
}

// deletedEntry is what the deletion of an entry returns.
type deletedEntry struct {
	key  string
	size int64
}

// dropOnce removes one batch, in the transaction that t is; more reports whether
// there may be another.
func (t *table) dropOnce(ctx context.Context, st *core.Statement, limit int, set func(args []any)) (gone tally, more bool, err error) {
	args := t.args()
	args[protocol.ArgLimit] = int64(limit)
	set(args)
	rows, err := core.ChangeSome(ctx, t.c, st, &t.spec.Drop, args, protocol.ArgID, func(r *deletedEntry) []any { return []any{&r.key, &r.size} })
	if err != nil || len(rows) == 0 {
		return tally{}, false, err
	}
	keys := make([]string, len(rows))
	for i, r := range rows {
		keys[i] = r.key
		gone = gone.plus(tally{1, r.size})
	}
	t.c.AfterCommit(func() { t.shared.bounds.grown(tally{}.minus(gone)) })
	return gone, t.mayLeave(st, len(rows), limit), t.gone(ctx, keys)
}

// mayLeave reports whether a batch of which so many entries were removed may have
// left some. Statements that find entries by their tags find one once for each
// tag, and remove it once: by one tag, at most twice, since the value and the load
// that makes the next one each have their tags.
func (t *table) mayLeave(st *core.Statement, removed, limit int) bool {
	switch st {
	case &t.spec.DropTags:
		return true
	case &t.spec.DropTag:
		return 2*removed >= limit
	}
	return removed == limit
}

func (t *table) RemoveTags(ctx context.Context, tags []string) (total int64, err error) {
	for _, tag := range tags {
		n, err := t.dropTwice(ctx, "tag "+tag, &t.spec.HasTag, &t.spec.DropTag, func(args []any) { args[protocol.ArgTag] = tag })
		total += n
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

// removeTagRange removes entries with tags from one on to before another.
func (t *table) removeTagRange(ctx context.Context, from, to string) (int64, error) {
	return t.dropTwice(ctx, "tags "+from, &t.spec.HasTags, &t.spec.DropTags, func(args []any) { args[protocol.ArgFrom], args[protocol.ArgTo] = from, to })
}

func (t *table) RemoveRange(ctx context.Context, from, to string) (int64, error) {
	return t.dropTwice(ctx, "keys "+from, &t.spec.HasKeys, &t.spec.DropKeys, func(args []any) { args[protocol.ArgFrom], args[protocol.ArgTo] = from, to })
}

func (t *table) Clear(ctx context.Context) (int64, error) {
	var last int64
	err := core.Row(ctx, t.c, &t.spec.Last, nil, []any{&last})
	if errors.Is(err, store.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return t.drop(ctx, &t.spec.DropAll, func(args []any) { args[protocol.ArgID] = last })
}

// Invalidate removes the entries that have any of the tags, and returns their number. Generated
// code calls it, for actions that know a cache by its datatype alone.
func Invalidate(ctx context.Context, c *core.Conn, spec *Spec, tags []string) (int64, error) {
	stored := make([]string, len(tags))
	for i, tag := range tags {
		stored[i] = backend.StoredKey(tag, spec.TagMax)
	}
	return tableOf(c, spec).RemoveTags(ctx, stored)
}

// Sweep removes what has expired and what is beyond the bounds, and returns how many entries. Generated
// code calls it, for actions that know a cache by its datatype alone.
func Sweep(ctx context.Context, c *core.Conn, spec *Spec) (int64, error) {
	t := tableOf(c, spec)
	expired, err := t.Expire(ctx)
	if err != nil || t.tx { // bounds are held outside of transactions
		return expired, err
	}
	evicted, err := t.Evict(ctx)
	return expired + evicted, err
}

func (t *table) Expire(ctx context.Context) (int64, error) {
	n, err := t.drop(ctx, &t.spec.DropOld, func([]any) {})
	t.shared.invalidator.Gone(n, 0)
	return n, err
}

func (t *table) Evict(ctx context.Context) (int64, error) {
	return t.shared.bounds.hold(ctx)
}
