package table

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hegner123/modulagen/runtime/cache/backend"
	"github.com/hegner123/modulagen/runtime/cache/protocol"
	"github.com/hegner123/modulagen/runtime/store/core"

	"github.com/hegner123/modulagen/runtime/store"
)

// table is a backend.Backend in a table of a database.
type table struct {
	c      *core.Conn
	spec   *Spec
	shared *shared
	tx     bool
}

// shared is what the backends of one process on one table share.
type shared struct {
	invalidator *backend.Invalidator
	writes      *combiner
	bounds      bounds
	appended    atomic.Int64 // changes, by this process
	found       sync.Pool    // of *found
	clock       clockOffset
}

type sharedKey struct{ spec *Spec }

// New returns the backend of the cache in a datatype's table.
func New(c *core.Conn, spec *Spec) backend.Backend { return tableOf(c, spec) }

func tableOf(c *core.Conn, spec *Spec) *table {
	db := c.DB()
	t := &table{c: c, spec: spec, tx: c != db.Conn()}
	t.shared = db.Shared(sharedKey{spec}, func() any {
		root := &table{c: db.Conn(), spec: spec}
		r := &shared{}
		root.shared = r
		r.invalidator = backend.NewInvalidator(root.RecordHits)
		if db.FakeClock() {
			r.invalidator.Now = func() int64 { return db.Clock().UnixNano() }
		}
		r.writes = newCombiner(root.putAll, tally{spec.MaxEntries, spec.MaxBytes})
		r.bounds.init(root)
		r.found.New = func() any { return newFound(root) }
		return r
	}).(*shared)
	return t
}

func (t *table) Invalidator() *backend.Invalidator { return t.shared.invalidator }
func (t *table) InTx() bool                        { return t.tx }

func (t *table) Limits() backend.Limits {
	s := t.spec
	return backend.Limits{Name: s.Name, Key: s.KeyMax, Tag: s.TagMax, Value: s.ValueMax, JSON: s.JSON, MaxAge: s.MaxAge, Patch: s.checkPatch}
}

// now is the moment that statements take as an argument: none where they ask the
// database's clock.
func (t *table) now() any {
	if db := t.c.DB(); db.LocalClock() {
		return db.Clock()
	}
	return nil
}

// Now asks a database that has a clock of its own once a minute.
func (t *table) Now(ctx context.Context) (time.Time, error) {
	if t.c.DB().LocalClock() {
		return t.c.Now(ctx)
	}
	return t.shared.clock.now(func() (time.Time, error) { return t.c.Now(ctx) })
}

// args are the arguments that every statement picks its own from.
func (t *table) args() []any {
	args := make([]any, protocol.ArgCount)
	args[protocol.ArgNow] = t.now()
	return args
}

// spans sets a span and the moment that it leads to.
func spanInto(args []any, span, moment int, d time.Duration) {
	args[span], args[moment] = nil, nil
	if d == backend.Forever {
		return
	}
	args[span] = d.Microseconds()
	if now, ok := args[protocol.ArgNow].(time.Time); ok {
		args[moment] = now.Add(d)
	}
}

// found is where a row is read to, and what the statement that reads it takes;
// kept, so that a Get allocates little.
type found struct {
	id          int64
	key, format string
	value       []byte
	document    store.JSON
	number      int64
	expires     store.Null[time.Time]
	stale       store.Null[time.Time]
	clock       time.Time
	ours        bool // clock is this process's; else the statement reads the database's

	one  []any // places of the columns of Find
	many []any // of FindMany
	args []any // of Find: the key, and the moment where it takes one
}

func newFound(t *table) *found {
	f := &found{ours: !t.spec.Find.Takes(t.c, protocol.ArgNow)}
	var value any = &f.value
	if t.spec.JSON {
		value = &f.document
	}
	f.one = []any{&f.id, value, &f.format, &f.number, &f.expires, &f.stale}
	if !f.ours {
		f.one = append(f.one, &f.clock)
	}
	f.many = append([]any{&f.key}, f.one...)
	f.args = make([]any, 0, 2)
	return f
}

// entry makes an Entry of the row that was read.
func (f *found) entry(t *table) backend.Entry {
	if f.ours {
		f.clock = t.c.DB().Clock()
	}
	e := backend.Entry{Value: f.value, Format: f.format, Number: f.number, Life: backend.Forever, Clock: f.clock}
	if t.spec.JSON {
		e.Value = f.document
	}
	if f.expires.Valid {
		e.Life = f.expires.V.Sub(f.clock)
	}
	e.Fresh = e.Life
	if f.stale.Valid {
		e.Fresh = min(e.Life, f.stale.V.Sub(f.clock))
	}
	f.value, f.document = nil, nil // the caller's
	return e
}

func (t *table) Find(ctx context.Context, key string) (backend.Entry, error) {
	f := t.shared.found.Get().(*found)
	defer t.shared.found.Put(f)
	f.key = key
	f.args = f.args[:0]
	text, order := t.spec.Find.Form(t.c)
	for _, a := range order {
		if a == protocol.ArgNow {
			f.args = append(f.args, t.now())
		} else {
			f.args = append(f.args, &f.key)
		}
	}
	if err := t.c.QueryRow(ctx, text, f.args, f.one); err != nil {
		return backend.Entry{}, err
	}
	return f.entry(t), nil
}

// findBatch bounds the keys of one statement.
const findBatch = 1000

func (t *table) FindMany(ctx context.Context, keys []string, each func(string, backend.Entry)) error {
	f := newFound(t)
	args := t.args()
	for batch := range slices.Chunk(keys, findBatch) {
		args[protocol.ArgKeys] = core.ListOf(batch)
		err := core.Each(ctx, t.c, &t.spec.FindMany, args, f.many, func() error {
			each(f.key, f.entry(t))
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *table) Size(ctx context.Context) (entries, bytes int64, err error) {
	err = core.Row(ctx, t.c, &t.spec.Size, nil, []any{&entries, &bytes})
	return entries, bytes, err
}
