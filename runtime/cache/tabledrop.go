package cache

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// dropBatch bounds the entries that one transaction removes, and so how long it
// keeps other writers waiting.
const dropBatch = 500

// dropPause lets writers of other processes in between two batches on SQLite,
// whose lock goes to whoever asks at the right moment.
const dropPause = 2 * time.Millisecond

// drop removes entries in batches, each a transaction of its own unless t is
// one, until fewer than a batch are found.
func (t *table) drop(ctx context.Context, st *store.Statement, set func(args []any)) (int64, error) {
	var total int64
	for {
		n, more := 0, false
		err := t.c.InTx(ctx, func(c *store.Conn) (err error) {
			n, more, err = t.in(c).dropOnce(ctx, st, dropBatch, set)
			return err
		})
		if err != nil {
			return total, err
		}
		total += int64(n)
		if !more {
			return total, nil
		}
		if !t.tx && t.d == sqltext.SQLite && !sleep(ctx, dropPause) {
			return total, context.Cause(ctx)
		}
	}
}

// doomed is an entry that is removed.
type doomed struct {
	id, size int64 // the id on MySQL alone
	key      string
}

// dropOnce removes one batch, in the transaction that t is; more tells whether
// there may be another.
func (t *table) dropOnce(ctx context.Context, st *store.Statement, limit int, set func(args []any)) (n int, more bool, err error) {
	args := t.args()
	args[argLimit] = int64(limit)
	set(args)
	place := func(r *doomed) []any { return []any{&r.key, &r.size} }
	if t.d == sqltext.MySQL {
		place = func(r *doomed) []any { return []any{&r.id, &r.key, &r.size} }
	}
	rows, err := store.Many(ctx, t.c, st, args, place)
	if err != nil || len(rows) == 0 {
		return 0, false, err
	}
	more = len(rows) == limit
	if t.d == sqltext.MySQL {
		if rows, err = t.dropFound(ctx, rows); err != nil {
			return 0, false, err
		}
	} else {
		more = more || st == &t.spec.DropTags // which may find an entry by several tags, and remove it once
	}
	keys, bytes := make([]string, len(rows)), int64(0)
	for i, r := range rows {
		keys[i] = r.key
		bytes += r.size
	}
	t.c.AfterCommit(func() { t.room.bounds.grown(-int64(len(rows)), -bytes) })
	return len(rows), more, t.gone(ctx, keys)
}

// dropFound removes on MySQL what was found, which may name an entry twice.
func (t *table) dropFound(ctx context.Context, rows []doomed) ([]doomed, error) {
	slices.SortFunc(rows, func(a, b doomed) int { return cmp.Compare(a.id, b.id) })
	rows = slices.CompactFunc(rows, func(a, b doomed) bool { return a.id == b.id })
	ids := make([]any, len(rows))
	for i, r := range rows {
		ids[i] = r.id
	}
	_, err := t.c.Exec(ctx, widen(t.spec.Drop.Text[t.d], len(ids)), ids)
	return rows, err
}

func (t *table) RemoveTags(ctx context.Context, tags []string) (total int64, err error) {
	for _, tag := range tags {
		n, err := t.drop(ctx, &t.spec.DropTag, func(args []any) { args[argTag] = tag })
		total += n
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

// removeTagRange removes entries with tags from one on to before another.
func (t *table) removeTagRange(ctx context.Context, from, to string) (int64, error) {
	return t.drop(ctx, &t.spec.DropTags, func(args []any) { args[argFrom], args[argTo] = from, to })
}

func (t *table) RemoveRange(ctx context.Context, from, to string) (int64, error) {
	return t.drop(ctx, &t.spec.DropKeys, func(args []any) { args[argFrom], args[argTo] = from, to })
}

func (t *table) Clear(ctx context.Context) (int64, error) {
	var last int64
	err := t.c.QueryRow(ctx, t.spec.Last.Text[t.d], nil, []any{&last})
	if errors.Is(err, store.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return t.drop(ctx, &t.spec.DropAll, func(args []any) { args[argID] = last })
}

func (t *table) Expire(ctx context.Context) (int64, error) {
	n, err := t.drop(ctx, &t.spec.DropOld, func([]any) {})
	t.room.hub.Gone(n, 0)
	return n, err
}

func (t *table) Evict(ctx context.Context) (int64, error) {
	return t.room.bounds.hold(ctx)
}

// bounds hold a table to its numbers of entries and bytes. What is there is
// counted now and then, and estimated in between: counting reads everything.
type bounds struct {
	t       *table
	entries atomic.Int64 // estimates; below zero as long as nothing was counted
	bytes   atomic.Int64
	written atomic.Int64 // entries since the last count
	holding atomic.Bool  // a goroutine is at it
	mu      sync.Mutex   // held while one is
	counted time.Time    // when that was last
}

const (
	countAfter = 10 * time.Second // from one count to the next that no one asked for
	countFirst = 1000             // entries that are written before the first
)

func (b *bounds) init(t *table) {
	b.t = t
	b.entries.Store(-1 << 40)
}

// over tells whether a table is over its bounds, and by how many entries and
// bytes it is over nine tenths of them.
func (b *bounds) over(entries, bytes int64) (tooMany, tooLarge int64, over bool) {
	s := b.t.spec
	if s.MaxEntries > 0 && entries > s.MaxEntries {
		tooMany, over = entries-s.MaxEntries*9/10, true
	}
	if s.MaxBytes > 0 && bytes > s.MaxBytes {
		tooLarge, over = bytes-s.MaxBytes*9/10, true
	}
	return tooMany, tooLarge, over
}

// grown notes what was written or removed. An entry that was replaced counts as
// one more until the next count.
func (b *bounds) grown(entries, bytes int64) {
	if b.t.spec.MaxEntries == 0 && b.t.spec.MaxBytes == 0 {
		return
	}
	now, size := b.entries.Add(entries), b.bytes.Add(bytes)
	written := b.written.Add(max(entries, 0))
	if _, _, over := b.over(now, size); !over && (now >= 0 || written < countFirst) || !b.holding.CompareAndSwap(false, true) {
		return
	}
	go func() {
		defer b.holding.Store(false)
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		b.mu.Lock()
		recent := time.Since(b.counted) < countAfter
		b.mu.Unlock()
		if !recent {
			_, _ = b.hold(ctx) // the next write tries again
		}
	}()
}

// hold counts, and removes what was used least recently until the table is at
// nine tenths of its bounds.
func (b *bounds) hold(ctx context.Context) (removed int64, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.t.spec.MaxEntries == 0 && b.t.spec.MaxBytes == 0 {
		return 0, nil
	}
	if err := b.t.room.hub.uses.now(ctx); err != nil {
		return 0, err
	}
	entries, bytes, err := b.t.Size(ctx)
	if err != nil {
		return 0, err
	}
	b.counted = time.Now()
	b.entries.Store(entries)
	b.bytes.Store(bytes)
	b.written.Store(0)
	tooMany, _, over := b.over(entries, bytes)
	defer func() { b.t.room.hub.Gone(0, removed) }()
	for over {
		n := dropBatch
		if tooLarge := b.t.spec.MaxBytes > 0 && b.bytes.Load() > b.t.spec.MaxBytes*9/10; !tooLarge {
			n = int(min(tooMany-removed, dropBatch))
		} else if tooMany-removed < dropBatch {
			n = max(1, int(entries/100), int(min(tooMany-removed, dropBatch))) // a hundredth at a time
			n = min(n, dropBatch)
		}
		if n <= 0 {
			break
		}
		got := 0
		err := b.t.c.InTx(ctx, func(c *store.Conn) (err error) {
			got, _, err = b.t.in(c).dropOnce(ctx, &b.t.spec.DropUnused, n, func([]any) {})
			return err
		})
		removed += int64(got)
		if err != nil || got == 0 {
			return removed, err
		}
	}
	return removed, nil
}
