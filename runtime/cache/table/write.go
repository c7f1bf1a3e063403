package table

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hegner123/modulagen/runtime/cache/backend"
	"github.com/hegner123/modulagen/runtime/cache/protocol"
	"github.com/hegner123/modulagen/runtime/store/core"

	"github.com/hegner123/modulagen/runtime/store"
)

// write returns the arguments of a statement that writes an entry.
func (t *table) write(args []any, w *backend.Write) []any {
	clear(args)
	args[protocol.ArgNow] = t.now()
	args[protocol.ArgKey], args[protocol.ArgFormat], args[protocol.ArgNumber], args[protocol.ArgToken] = w.Key, w.Format, w.Number, w.Token
	args[protocol.ArgSize] = int64(len(w.Key) + len(w.Value))
	switch {
	case t.spec.JSON && len(w.Value) == 0:
		args[protocol.ArgValue] = store.JSON("null")
	case t.spec.JSON:
		args[protocol.ArgValue] = store.JSON(w.Value)
	case w.Value == nil:
		args[protocol.ArgValue] = []byte{}
	default:
		args[protocol.ArgValue] = w.Value
	}
	if t.spec.TagsMax > 0 && len(w.Tags) > 0 {
		args[protocol.ArgTags] = shown(w.Tags, t.spec.TagsMax)
	}
	early := t.early(args, w)
	spanInto(args, protocol.ArgLife, protocol.ArgGoneAt, w.Life-early)
	if w.Fresh < w.Life {
		spanInto(args, protocol.ArgFresh, protocol.ArgStaleAt, w.Fresh-early)
	}
	args[protocol.ArgLease] = int64(0)
	return args
}

// early is by how much an entry ends before its time to live ends. Where the
// moments are ours, each key has some of its own, as far apart as the slack is
// long: written again and again, an entry mostly keeps its end, and the index of
// ends need not be written.
func (t *table) early(args []any, w *backend.Write) time.Duration {
	now, ours := args[protocol.ArgNow].(time.Time)
	switch {
	case w.Slack <= time.Microsecond || w.Life == backend.Forever:
		return 0
	case !ours:
		return rand.N(w.Slack)
	}
	slack := w.Slack.Microseconds()
	return time.Duration((now.Add(w.Life).UnixMicro()+int64(backend.Hash(w.Key)>>1)%slack)%slack) * time.Microsecond
}

// shown is the tags for people, cut to what the column holds.
func shown(tags []string, limit int) string {
	s := strings.Join(tags, ",")
	if utf8.RuneCountInString(s) > limit {
		s = string([]rune(s)[:limit-1]) + "…"
	}
	return s
}

func (t *table) Put(ctx context.Context, writes []*backend.Write) error {
	if t.tx {
		return t.putIn(ctx, writes)
	}
	return t.shared.writes.do(ctx, writes)
}

// putAll writes in a transaction of its own.
func (t *table) putAll(ctx context.Context, writes []*backend.Write) error {
	t.waitForSpace(ctx, writes...)
	return t.c.InTx(ctx, func(c *core.Conn) error { return t.in(c).putIn(ctx, writes) })
}

// in is the table in a transaction.
func (t *table) in(c *core.Conn) *table {
	in := *t
	in.c, in.tx = c, c != c.DB().Conn()
	return &in
}

// putIn writes in the transaction that t is.
func (t *table) putIn(ctx context.Context, writes []*backend.Write) error {
	writes = lastPerKey(writes)
	if len(writes) > 1 { // in one order, as every process does: no deadlocks
		writes = slices.Clone(writes)
		slices.SortStableFunc(writes, func(a, b *backend.Write) int { return strings.Compare(a.Key, b.Key) })
	}
	t.shared.invalidator.Begin(writes)
	if err := t.putRows(ctx, writes); err != nil {
		return err
	}
	if err := t.tag(ctx, writes, true); err != nil {
		return err
	}
	for _, w := range writes {
		if err := t.patch(ctx, w); err != nil {
			return err
		}
	}
	return t.written(ctx, writes)
}

// lastPerKey returns the writes that stand when all are done.
func lastPerKey(writes []*backend.Write) []*backend.Write {
	if len(writes) < 2 {
		return writes
	}
	last := make(map[string]*backend.Write, len(writes))
	for _, w := range writes {
		last[w.Key] = w
	}
	if len(last) == len(writes) {
		return writes
	}
	return slices.DeleteFunc(slices.Clone(writes), func(w *backend.Write) bool { return last[w.Key] != w })
}

// putRows writes the rows. Where the cache has a statement for it, on SQLite, those
// that are there and keep their ends are written in place first, which writes no index;
// the others are put.
func (t *table) putRows(ctx context.Context, writes []*backend.Write) error {
	args := make([]any, protocol.ArgCount)
	row := func(i int) []any { return t.write(args, writes[i]) }
	if t.spec.PutInPlace.Has(t.c) {
		inPlace, err := core.ExecEach(ctx, t.c, &t.spec.PutInPlace, len(writes), row)
		if err != nil {
			return err
		}
		var others []*backend.Write
		for i, n := range inPlace {
			if n == 0 {
				others = append(others, writes[i])
			}
		}
		writes = others
	}
	if len(writes) == 0 {
		return nil
	}
	_, err := core.ExecEach(ctx, t.c, &t.spec.Put, len(writes), row)
	return err
}

// tag writes the tags of entries; instead removes those that count no more.
func (t *table) tag(ctx context.Context, writes []*backend.Write, instead bool) error {
	type one struct {
		w   *backend.Write
		tag string
	}
	var tags []one
	var tagged []*backend.Write
	for _, w := range writes {
		if len(w.Tags) > 0 {
			tagged = append(tagged, w)
		}
		for _, tag := range w.Tags {
			tags = append(tags, one{w, tag})
		}
	}
	if len(tags) == 0 {
		return nil
	}
	args := make([]any, protocol.ArgCount)
	_, err := core.ExecEach(ctx, t.c, &t.spec.Tag, len(tags), func(i int) []any {
		args[protocol.ArgTag], args[protocol.ArgKey], args[protocol.ArgToken] = tags[i].tag, tags[i].w.Key, tags[i].w.Token
		return args
	})
	if err != nil || !instead {
		return err
	}
	_, err = core.ExecEach(ctx, t.c, &t.spec.Untag, len(tagged), func(i int) []any {
		args[protocol.ArgKey] = tagged[i].Key
		return args
	})
	return err
}

// written notifies other processes, and at the commit this one.
func (t *table) written(ctx context.Context, writes []*backend.Write) error {
	t.removedBefore()
	keys := make([]string, len(writes))
	for i, w := range writes {
		keys[i] = w.Key
	}
	if err := t.appendChange(ctx, hashesOf(keys)); err != nil {
		return err
	}
	t.c.AfterCommit(func() {
		t.shared.invalidator.Commit(writes)
		t.shared.bounds.grown(sizeOf(writes))
		t.shared.bounds.wait(ctx, tally{}) // a transaction of the caller's could not before: its locks would have been in the way
	})
	return nil
}

func sizeOf(writes []*backend.Write) (size tally) {
	for _, w := range writes {
		size = size.plus(tally{1, int64(len(w.Key) + len(w.Value))})
	}
	return size
}

// waitForSpace waits, outside a transaction, until writes would not bring the table
// too far beyond its bounds.
func (t *table) waitForSpace(ctx context.Context, writes ...*backend.Write) {
	if !t.tx {
		t.shared.bounds.wait(ctx, sizeOf(writes))
	}
}

func (t *table) Add(ctx context.Context, w *backend.Write) (added bool, err error) {
	t.waitForSpace(ctx, w)
	err = t.c.InTx(ctx, func(c *core.Conn) error {
		in := t.in(c)
		added, err = in.addIn(ctx, w)
		if err != nil || !added {
			return err
		}
		if err := in.patch(ctx, w); err != nil {
			return err
		}
		return in.written(ctx, []*backend.Write{w})
	})
	return added && err == nil, err
}

// addIn adds an entry unless there is one, in the transaction that t is.
func (t *table) addIn(ctx context.Context, w *backend.Write) (bool, error) {
	writes := []*backend.Write{w}
	t.shared.invalidator.Begin(writes)
	args := t.write(make([]any, protocol.ArgCount), w)
	if _, err := core.Exec(ctx, t.c, &t.spec.Vacate, args); err != nil {
		return false, err
	}
	n, err := core.Exec(ctx, t.c, &t.spec.Add, args)
	if err != nil || n == 0 {
		return false, err
	}
	return true, t.tag(ctx, writes, false)
}

// Count vacates, adds, and looks: what was added to an entry that is no counter
// is undone with the transaction. In a transaction of the caller's it looks
// first, since that one must be able to go on.
func (t *table) Count(ctx context.Context, w *backend.Write) (n int64, err error) {
	t.waitForSpace(ctx, w)
	err = t.c.InTx(ctx, func(c *core.Conn) error {
		in := t.in(c)
		writes := []*backend.Write{w}
		t.shared.invalidator.Begin(writes)
		args := t.write(make([]any, protocol.ArgCount), w)
		if _, err := core.Exec(ctx, c, &t.spec.Vacate, args); err != nil {
			return err
		}
		if t.tx {
			if e, err := in.Find(ctx, w.Key); err == nil && e.Format != backend.FormatInt {
				return backend.ErrNotNumber
			} else if err != nil && !errors.Is(err, store.ErrNotFound) {
				return err
			}
		}
		if _, err := core.Exec(ctx, c, &t.spec.Count, args); err != nil {
			return err
		}
		e, err := in.Find(ctx, w.Key)
		switch {
		case err != nil:
			return err
		case e.Format != backend.FormatInt:
			return backend.ErrNotNumber
		}
		n = e.Number
		return in.written(ctx, writes)
	})
	return n, err
}

func (t *table) Remove(ctx context.Context, keys []string) error {
	keys = slices.Clone(keys) // for later
	t.removeAgain(ctx, "entries "+strings.Join(keys, "\x00"), removal{do: func(ctx context.Context, t *table) error { return t.remove(ctx, keys) }})
	return t.remove(ctx, keys)
}

func (t *table) remove(ctx context.Context, keys []string) error {
	return t.c.InTx(ctx, func(c *core.Conn) error {
		in := t.in(c)
		args := make([]any, protocol.ArgCount)
		_, err := core.ExecEach(ctx, c, &t.spec.Remove, len(keys), func(i int) []any {
			args[protocol.ArgKey] = keys[i]
			return args
		})
		if err != nil {
			return err
		}
		return in.gone(ctx, keys)
	})
}

func hashesOf(keys []string) []uint64 {
	hashes := make([]uint64, len(keys))
	for i, key := range keys {
		hashes[i] = backend.Hash(key)
	}
	return hashes
}

// gone notifies every process that entries are not there any more.
func (t *table) gone(ctx context.Context, keys []string) error {
	if len(keys) == 0 {
		return nil
	}
	hashes := hashesOf(keys)
	if err := t.appendChange(ctx, hashes); err != nil {
		return err
	}
	t.c.AfterCommit(func() { t.shared.invalidator.Forget(hashes) })
	return nil
}

func (t *table) Touch(ctx context.Context, key string, life, fresh time.Duration, reseal backend.Reseal) (touched bool, err error) {
	err = t.c.InTx(ctx, func(c *core.Conn) error {
		in := t.in(c)
		args := t.write(make([]any, protocol.ArgCount), &backend.Write{Key: key, Life: life, Fresh: fresh})
		n, err := core.Exec(ctx, c, &t.spec.Touch, args)
		touched = n > 0
		if err != nil || !touched {
			return err
		}
		if reseal != nil { // the entry is locked by now
			if err := in.reseal(ctx, key, reseal); err != nil {
				return err
			}
		}
		return in.gone(ctx, []string{key}) // who keeps it in memory must see its new end
	})
	return touched && err == nil, err
}

// reseal replaces the value of an entry by the same one in another form, in the
// transaction that t is.
func (t *table) reseal(ctx context.Context, key string, reseal backend.Reseal) error {
	e, err := t.Find(ctx, key)
	if err != nil {
		return err
	}
	value, err := reseal(&e)
	if err != nil {
		return err
	}
	_, err = core.Exec(ctx, t.c, &t.spec.Reseal, t.write(make([]any, protocol.ArgCount), &backend.Write{Key: key, Value: value, Life: backend.Forever, Fresh: backend.Forever}))
	return err
}

func (t *table) RecordHits(ctx context.Context, hits []backend.KeyHits) error {
	args := t.args()
	_, err := core.ExecEach(ctx, t.c, &t.spec.RecordHits, len(hits), func(i int) []any {
		args[protocol.ArgKey], args[protocol.ArgHits] = hits[i].Key, hits[i].Hits
		return args
	})
	return err
}

func (t *table) Lease(ctx context.Context, w *backend.Write, hold time.Duration) (had, fresh bool, err error) {
	w.Format, w.Life, w.Fresh = backend.FormatLease, hold, hold
	err = t.c.InTx(ctx, func(c *core.Conn) error {
		in := t.in(c)
		args := t.write(make([]any, protocol.ArgCount), w)
		args[protocol.ArgLease] = w.Token
		spanInto(args, protocol.ArgHold, protocol.ArgHeldAt, hold)
		n, err := core.Exec(ctx, c, &t.spec.Add, args)
		if had, fresh = n > 0, n > 0; err != nil {
			return err
		}
		if !had {
			n, err := core.Exec(ctx, c, &t.spec.Take, args)
			if had = n > 0; err != nil || !had {
				return err
			}
		}
		return in.tag(ctx, []*backend.Write{w}, !fresh)
	})
	return had && err == nil, fresh && err == nil, err
}

func (t *table) leased(key string, token int64, hold time.Duration) []any {
	args := t.args()
	args[protocol.ArgKey], args[protocol.ArgLease] = key, token
	spanInto(args, protocol.ArgHold, protocol.ArgHeldAt, hold)
	return args
}

func (t *table) RenewLease(ctx context.Context, key string, token int64, hold time.Duration) (bool, error) {
	n, err := core.Exec(ctx, t.c, &t.spec.RenewLease, t.leased(key, token, hold))
	return n > 0, err
}

func (t *table) ReleaseLease(ctx context.Context, key string, token int64) error {
	_, err := core.Exec(ctx, t.c, &t.spec.ReleaseLease, t.leased(key, token, 0))
	t.c.Announce(t.topic())
	return err
}

func (t *table) Fill(ctx context.Context, w *backend.Write) (filled bool, err error) {
	writes := []*backend.Write{w}
	t.waitForSpace(ctx, w)
	err = t.c.InTx(ctx, func(c *core.Conn) error {
		in := t.in(c)
		t.shared.invalidator.Begin(writes)
		args := t.write(make([]any, protocol.ArgCount), w)
		args[protocol.ArgLease] = w.Token
		n, err := core.Exec(ctx, c, &t.spec.Fill, args)
		if filled = n > 0; err != nil || !filled {
			return err
		}
		if len(w.Tags) > 0 {
			_, err = core.Exec(ctx, c, &t.spec.Untag, args)
			if err != nil {
				return err
			}
		}
		if err := in.patch(ctx, w); err != nil {
			return err
		}
		return in.written(ctx, writes)
	})
	return filled && err == nil, err
}
