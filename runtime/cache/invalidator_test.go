package cache_test

import (
	"context"
	"testing"

	"github.com/hegner123/modulagen/internal/cachefixture"
	"github.com/hegner123/modulagen/runtime/cache"
	"github.com/hegner123/modulagen/runtime/cache/backend"
)

// overtaken is a table in which something happens between the reading of an entry
// and its arrival.
type overtaken struct {
	backend.Backend
	meanwhile func()
}

func (o *overtaken) CacheBackend() backend.Backend { return o }

func (o *overtaken) Find(ctx context.Context, key string) (backend.Entry, error) {
	e, err := o.Backend.Find(ctx, key)
	o.meanwhile()
	return e, err
}

func (o *overtaken) FindMany(ctx context.Context, keys []string, each func(string, backend.Entry)) error {
	return o.Backend.FindMany(ctx, keys, func(key string, e backend.Entry) {
		o.meanwhile()
		each(key, e)
	})
}

// What is read before a change and arrives after it does not stay in memory.
func TestChangeWhileAnEntryIsRead(t *testing.T) {
	p := cachefixture.Place{Kind: "sqlite", DSN: "sqlite::memory:", Clock: cachefixture.NewClock()}
	ctx := t.Context()
	db := p.Open(t)
	source := &overtaken{Backend: db.CacheEntry.CacheBackend(), meanwhile: func() {}}
	texts := cache.New[string](source, cachefixture.Remembering)
	cachefixture.Must(t, cache.New[string](db.CacheEntry, cachefixture.Plain).Set(ctx, "k", "v", 0))
	for _, meanwhile := range []struct {
		name   string
		change func()
		stays  bool
	}{
		{"nothing", func() {}, true},
		{"the same entry", func() { source.Invalidator().Forget([]uint64{backend.Hash("k")}) }, false},
		{"all entries", source.Invalidator().ForgetAll, false},
	} {
		t.Run(meanwhile.name, func(t *testing.T) {
			for name, get := range map[string]func(){
				"Get":     func() { texts.Get(ctx, "k") },
				"GetMany": func() { texts.GetMany(ctx, []string{"k"}) },
			} {
				source.Invalidator().ForgetAll()
				source.meanwhile = meanwhile.change
				get()
				source.meanwhile = func() {}
				t.Run(name, func(t *testing.T) { cachefixture.WantMemory(t, texts, "k", meanwhile.stays) })
			}
		})
	}
}

// A write is kept in memory when it has been committed, unless another one was
// committed since it began.
func TestCommitKeepsTheLastWrite(t *testing.T) {
	p := cachefixture.Place{Kind: "sqlite", DSN: "sqlite::memory:", Clock: cachefixture.NewClock()}
	db := p.Open(t)
	invalidator := db.CacheEntry.CacheBackend().Invalidator()
	texts := cache.New[string](db.CacheEntry, cachefixture.Remembering)
	cachefixture.Must(t, texts.Set(t.Context(), "k", "v", 0))
	forget := func() { invalidator.Forget([]uint64{backend.Hash("k")}) }
	for _, test := range []struct {
		name           string
		before, during func()
		kept, stays    bool
	}{
		{"alone", func() {}, func() {}, true, true},
		{"overtaken", forget, func() {}, false, false},
		{"overtaken by all", invalidator.ForgetAll, func() {}, false, false},
		{"overtaken while it is kept", func() {}, forget, true, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			kept := false
			w := &backend.Write{Key: "k", Keep: func() {
				kept = true
				test.during()
				texts.Get(t.Context(), "k") // an older reading, put into memory
			}}
			invalidator.Begin([]*backend.Write{w})
			test.before()
			invalidator.Commit([]*backend.Write{w})
			if kept != test.kept {
				t.Errorf("kept: %v, want %v", kept, test.kept)
			}
			cachefixture.WantMemory(t, texts, "k", test.stays)
		})
	}
}
