package table_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/hegner123/modulagen/generated"
	"github.com/hegner123/modulagen/internal/cachefixture"
	"github.com/hegner123/modulagen/runtime/cache"
	"github.com/hegner123/modulagen/runtime/cache/backend"
	"github.com/hegner123/modulagen/runtime/cache/table"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/check"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// ownRow, ownNew and ownPatch are rows of cache_entry in the generator's style,
// with the effects that its own rows have.
type (
	ownRow struct {
		ID    int64
		Key   string
		Value []byte
	}
	ownNew   struct{ Key, Value string }
	ownPatch struct {
		Key   store.Opt[string]
		Value store.Opt[[]byte]
	}
)

// ownRows are cache_entry by plain methods.
func ownRows(spec *table.Spec) *core.Spec {
	s := &core.Spec{
		Name: "cache_entry", ID: core.IDInteger,
		Columns: []core.Column{
			{Name: "id", Rules: check.Rules{Kind: check.Int}},
			{Name: "key", Rules: check.Rules{Kind: check.Text, Required: true, Max: check.At("255")}},
			{Name: "value", Rules: check.Rules{Kind: check.Bytes, Max: check.At("1000")}},
		},
		Keys:   []core.Key{{Name: "cache_entry_key_key", Columns: []int{1}}},
		Row:    func() any { return new(ownRow) },
		Fields: func(row any, buf []any) []any { r := row.(*ownRow); return append(buf, &r.ID, &r.Key, &r.Value) },
		New: func(given, row any, m *core.Mask, _ time.Time) {
			n, r := given.(*ownNew), row.(*ownRow)
			r.Key, r.Value = n.Key, []byte(n.Value)
			m.Add(1)
			m.Add(2)
		},
		Patch: func(given, row any, m *core.Mask) {
			p, r := given.(*ownPatch), row.(*ownRow)
			core.Patch(m, 1, &r.Key, p.Key)
			core.Patch(m, 2, &r.Value, p.Value)
		},
	}
	s.Effects = []core.Effect{
		{On: core.Created | core.Updated, Rows: true, Run: table.ForgetWritten(spec, s, "key")},
		{On: core.Deleted, Run: table.ForgetDeleted(spec, s, "key")},
	}
	return s
}

var (
	ownID  = core.FieldOf[int64, int64](0)
	ownKey = core.TextOf[int64, string](1)
)

// A plain write of a cache's own rows is forgotten by every process at once, as one
// of the cache is.
func TestOwnRowsAreForgotten(t *testing.T) {
	cachefixture.OnEach(t, func(t *testing.T, p cachefixture.Place) {
		ctx := t.Context()
		db, other := p.Open(t), p.Open(t)
		opts := cache.Options{Timeout: cachefixture.Patience, Jitter: -1, NegativeTTL: time.Hour}
		mine, theirs := cache.New[string](db.CacheEntry, opts), cache.New[string](other.CacheEntry, opts)
		rows := core.Bind(db.Store().Conn(), ownRows(table.SpecOf(db.CacheEntry.CacheBackend())))
		id := func(key string) int64 {
			t.Helper()
			row, err := db.CacheEntry.GetByKey(ctx, key)
			cachefixture.Must(t, err)
			return int64(row.ID)
		}
		for _, write := range []struct {
			name string
			run  func() error
		}{
			{"update", func() error {
				return rows.Update(ctx, id("k"), &ownPatch{Value: store.Set([]byte(`"new"`))}, new(ownRow))
			}},
			{"another key", func() error { return rows.Update(ctx, id("k"), &ownPatch{Key: store.Set("k2")}, new(ownRow)) }},
			{"upsert", func() error {
				return rows.UpsertUnique(ctx, 0, &ownNew{Key: "k", Value: `"new"`}, new(ownRow))
			}},
			{"delete", func() error { return rows.Delete(ctx, id("k")) }},
			{"delete many", func() error {
				n, err := rows.DeleteWhere(ctx, core.AnyCond{Filter: ownKey.Eq("k").Filter})
				if n != 1 {
					t.Errorf("deleted %d", n)
				}
				return err
			}},
			{"in a transaction", func() error {
				return db.Tx(ctx, func(tx *generated.Tx) error {
					return core.Bind(tx.CacheEntry.Conn(), ownRows(table.SpecOf(db.CacheEntry.CacheBackend()))).Delete(ctx, id("k"))
				})
			}},
		} {
			cachefixture.Must(t, mine.Set(ctx, "k", "old", time.Hour))
			cachefixture.Must(t, mine.Set(ctx, "stays", "old", time.Hour))
			for _, c := range []*cache.Cache[string]{mine, theirs} {
				cachefixture.Until(t, "the value to be in memory", func() bool { // the change before may be read late
					hits := c.Stats().MemoryHits
					v, _ := c.Get(ctx, "k")
					return v == "old" && c.Stats().MemoryHits == hits+1
				})
			}
			cachefixture.Must(t, write.run())
			if v, _ := mine.Get(ctx, "k"); v == "old" {
				t.Errorf("%s: this process has the old value", write.name)
			}
			cachefixture.Until(t, write.name, func() bool { v, _ := theirs.Get(ctx, "k"); return v != "old" })
			if write.name == "another key" {
				cachefixture.Must(t, mine.Delete(ctx, "k2"))
			}
		}
		hits := mine.Stats().MemoryHits
		if cachefixture.WantValue(t, mine, "stays", "old"); mine.Stats().MemoryHits != hits+1 {
			t.Error("another entry was forgotten")
		}
		testOwnRowsCreated(t, mine, rows)
	})
}

// testOwnRowsCreated adds rows for keys of which memory knows that there is nothing.
func testOwnRowsCreated(t *testing.T, c *cache.Cache[string], rows core.Table) {
	t.Helper()
	ctx := t.Context()
	keys := []string{"c1", "c2", "c3"}
	for _, key := range keys {
		for range 2 { // the second reads it
			_, err := c.Fetch(ctx, key, time.Hour, func(context.Context) (string, error) { return "", cache.ErrNone })
			if !errors.Is(err, cache.ErrNone) {
				t.Fatal(err)
			}
		}
	}
	_, err := rows.Conn().Exec(ctx, "DELETE FROM cache_entry WHERE cache_format = 'none'", nil)
	cachefixture.Must(t, err)
	for _, key := range keys {
		if !cachefixture.InMemory(t, c, key) {
			t.Fatalf("memory does not know that there is no %s", key)
		}
	}
	cachefixture.Must(t, rows.Create(ctx, &ownNew{Key: "c1", Value: `"v"`}, new(ownRow)))
	var ids []int64
	cachefixture.Must(t, rows.CreateMany(ctx, []ownNew{{Key: "c2", Value: `"v"`}, {Key: "c3", Value: `"v"`}}, &ids))
	if n, err := rows.Count(ctx, core.AnyCond{Filter: ownID.In(ids...).Filter}, 0); err != nil || n != 2 {
		t.Errorf("%d rows, %v", n, err)
	}
	for _, key := range keys {
		if cachefixture.InMemory(t, c, key) {
			t.Errorf("memory still says that there is no %s", key)
		}
	}
}

type backendSource struct{ backend.Backend }

func (s backendSource) CacheBackend() backend.Backend { return s.Backend }

// Fields of one's own are written by a plain method too: what Set puts into memory
// stays there.
func TestOwnRowsOfWith(t *testing.T) {
	cachefixture.OnEach(t, func(t *testing.T, p cachefixture.Place) {
		ctx := t.Context()
		db := p.Open(t)
		spec := *table.SpecOf(db.CacheEntry.CacheBackend())
		rows := ownRows(&spec)
		spec.Patch = func(ctx context.Context, c *core.Conn, key string, patch any) error {
			row, core := new(ownRow), core.Bind(c, rows)
			if err := core.GetUnique(ctx, 0, row, key); err != nil {
				return err
			}
			return core.Update(ctx, row.ID, patch.(*ownPatch), row)
		}
		texts := cache.New[string](backendSource{table.New(db.Store().Conn(), &spec)}, cache.Options{Timeout: cachefixture.Patience, Jitter: -1})
		cachefixture.WantMiss(t, texts, "k") // from here on it follows changes
		cachefixture.Must(t, texts.Set(ctx, "k", "v", time.Hour, cache.With(&ownPatch{Value: store.Set([]byte(`"v"`))})))
		hits := texts.Stats().MemoryHits
		if cachefixture.WantValue(t, texts, "k", "v"); texts.Stats().MemoryHits != hits+1 {
			t.Error("it is not in memory")
		}
	})
}
