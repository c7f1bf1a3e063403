package cache_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/hegner123/modulagen/generated"
	"github.com/hegner123/modulagen/internal/cachefixture"
	"github.com/hegner123/modulagen/runtime/cache"
	"github.com/hegner123/modulagen/runtime/store"
)

type user struct {
	ID    int
	Email string
}

// wider is page with one more field, as after a release.
type wider struct {
	Title    string
	Views    int
	Tags     []string
	Language string
}

type lenient string

func (l *lenient) UnmarshalJSON(data []byte) error { *l = lenient(data); return nil }

type list[T any] struct{ Items []T }

// What a cache of one type wrote is a miss for a cache of another one, also where
// it would decode: most JSON decodes into most structs, as zero values.
func TestAnotherTypeIsAMiss(t *testing.T) {
	cachefixture.OnEach(t, func(t *testing.T, p cachefixture.Place) {
		db := p.Open(t)
		for name, opts := range map[string]cache.Options{
			"json": cachefixture.Plain, "gob": {Codec: cache.Gob()}, "zstd": {Compress: 1},
			"encrypted": {Keys: []cache.Key{{ID: "k1", Secret: []byte("0123456789abcdef")}}},
		} {
			t.Run(name, func(t *testing.T) {
				opts.Memory, opts.Timeout, opts.Prefix = -1, cachefixture.Patience, name+":"
				cachefixture.Must(t, cache.New[user](db.CacheEntry, opts).Set(t.Context(), "k", user{ID: 7, Email: "a@example.com"}, 0))
				wantAnother[page](t, db, opts)
				wantAnother[map[string]any](t, db, opts)
				wantAnother[any](t, db, opts)
				wantAnother[*user](t, db, opts)
				wantAnother[[]user](t, db, opts)
				wantAnother[struct {
					ID    int
					Email string
				}](t, db, opts)
				wantAnother[lenient](t, db, opts)
				if got, ok := cache.New[user](db.CacheEntry, opts).Get(t.Context(), "k"); !ok || got.ID != 7 {
					t.Errorf("its own type reads %+v, %v", got, ok)
				}
				cachefixture.Must(t, cache.New[page](db.CacheEntry, opts).Set(t.Context(), "k", page{Title: "one"}, 0))
				wantAnother[wider](t, db, opts)
				cachefixture.Must(t, cache.New[list[int]](db.CacheEntry, opts).Set(t.Context(), "k", list[int]{}, 0))
				wantAnother[list[int8]](t, db, opts)
				cachefixture.Must(t, cache.New[string](db.CacheEntry, opts).Set(t.Context(), "k", "text", 0))
				wantAnother[[]byte](t, db, opts)
				wantAnother[any](t, db, opts)
			})
		}
		raw := cache.Options{Memory: -1, Timeout: cachefixture.Patience, Codec: cache.Raw(), Prefix: "raw:"}
		cachefixture.Must(t, cache.New[string](db.CacheEntry, raw).Set(t.Context(), "k", "text", 0))
		wantAnother[[]byte](t, db, raw)
	})
}

// wantAnother wants a miss of a cache of V, which is counted, and its Fetch to load.
func wantAnother[V any](t *testing.T, db *generated.DB, opts cache.Options) {
	t.Helper()
	c := cache.New[V](db.CacheEntry, opts)
	name := reflect.TypeFor[V]()
	if got, ok := c.Get(t.Context(), "k"); ok {
		t.Errorf("a cache of %s reads %+v", name, got)
	}
	if many := c.GetMany(t.Context(), []string{"k"}); len(many) != 0 {
		t.Errorf("a cache of %s reads %+v", name, many)
	}
	if s := c.Stats(); s.Undecodable != 2 || s.Misses != 2 || s.Errors != 0 {
		t.Errorf("a cache of %s has counted %+v", name, s)
	}
}

// So it is where the type encodes itself, as a row's optional JSON does.
func TestTypeOfTheReleaseBeforeThatEncodesItself(t *testing.T) {
	db := cachefixture.Place{Kind: "sqlite", DSN: "sqlite::memory:"}.Open(t)
	before := func() {
		type record struct {
			store.Null[string]
			Title string
		}
		cachefixture.Must(t, cache.New[record](db.CacheEntry, cachefixture.Plain).Set(t.Context(), "k", record{Null: store.Some("one")}, 0))
	}
	before()
	type record struct {
		store.Null[string]
		Headline string
	}
	opts := cachefixture.Plain
	opts.Memory = -1
	wantAnother[record](t, db, opts)
}

// A type that was given a field in a release has the name that it had before it.
func TestTypeOfTheReleaseBefore(t *testing.T) {
	db := cachefixture.Place{Kind: "sqlite", DSN: "sqlite::memory:"}.Open(t)
	before := func() {
		type record struct{ Title string }
		cachefixture.Must(t, cache.New[record](db.CacheEntry, cachefixture.Plain).Set(t.Context(), "k", record{"one"}, 0))
	}
	before()
	type record struct{ Title, Language string }
	opts := cachefixture.Plain
	opts.Memory = -1
	wantAnother[record](t, db, opts)
}

func TestAnotherTypeIsLoaded(t *testing.T) {
	cachefixture.OnEach(t, func(t *testing.T, p cachefixture.Place) {
		db := p.Open(t)
		users, pages := cache.New[user](db.CacheEntry, cache.Options{Timeout: cachefixture.Patience}), cache.New[page](db.CacheEntry, cache.Options{Timeout: cachefixture.Patience})
		cachefixture.Must(t, users.Set(t.Context(), "k", user{ID: 7}, 0))
		got, err := pages.Fetch(t.Context(), "k", time.Minute, func(context.Context) (page, error) { return page{Title: "loaded"}, nil })
		if got.Title != "loaded" || err != nil {
			t.Errorf("fetched %+v, %v", got, err)
		}
		if got, ok := users.Get(t.Context(), "k"); ok {
			t.Errorf("the other cache still reads %+v", got)
		}
		if got, ok := pages.Get(t.Context(), "k"); !ok || got.Title != "loaded" {
			t.Errorf("it was kept as %+v, %v", got, ok)
		}
	})
}

// A whole number is shared by the types that are written as one, and by no other.
func TestCounterOfAnotherType(t *testing.T) {
	cachefixture.OnEach(t, func(t *testing.T, p cachefixture.Place) {
		db := p.Open(t)
		cachefixture.Must(t, cache.New[int](db.CacheEntry, cachefixture.Plain).Set(t.Context(), "k", 300, 0))
		cachefixture.WantValue(t, cache.New[int64](db.CacheEntry, cachefixture.Plain), "k", 300)
		wantAnother[int8](t, db, cachefixture.Plain) // it does not hold 300
		wantAnother[time.Duration](t, db, cachefixture.Plain)
		wantAnother[float64](t, db, cachefixture.Plain)
		wantAnother[uint](t, db, cachefixture.Plain)
		wantAnother[any](t, db, cachefixture.Plain)
		wantAnother[lenient](t, db, cachefixture.Plain)
		wantAnother[*int](t, db, cachefixture.Plain)
	})
}

// That there is no page under a key says nothing about a user under it.
func TestNothingOfAnotherType(t *testing.T) {
	cachefixture.OnEach(t, func(t *testing.T, p cachefixture.Place) {
		db := p.Open(t)
		opts := cache.Options{Timeout: cachefixture.Patience, NegativeTTL: time.Hour}
		pages := cache.New[page](db.CacheEntry, opts)
		for range 2 {
			_, err := pages.Fetch(t.Context(), "k", 0, func(context.Context) (page, error) { return page{}, cache.ErrNone })
			if !errors.Is(err, cache.ErrNone) {
				t.Error(err)
			}
		}
		if n := pages.Stats().Loads; n != 1 {
			t.Errorf("%d loads of nothing", n)
		}
		opts.Memory = -1
		wantAnother[user](t, db, opts)
		got, err := cache.New[user](db.CacheEntry, opts).Fetch(t.Context(), "k", 0, func(context.Context) (user, error) { return user{ID: 7}, nil })
		if got.ID != 7 || err != nil {
			t.Errorf("fetched %+v, %v", got, err)
		}
	})
}

// The format says what the type is, for people too.
func TestFormatNamesTheType(t *testing.T) {
	p := cachefixture.Place{Kind: "sqlite", DSN: "sqlite::memory:"}
	db := p.Open(t)
	long := cache.Options{Timeout: cachefixture.Patience, Compress: 1, Codec: named(strings.Repeat("c", 20)), Keys: []cache.Key{{ID: strings.Repeat("k", 20), Secret: make([]byte, 16)}}}
	for _, test := range []struct {
		want string
		set  func(key string) error
	}{
		{"json:string", func(key string) error {
			return cache.New[string](db.CacheEntry, cachefixture.Plain).Set(t.Context(), key, "v", 0)
		}},
		{"json:page.", func(key string) error {
			return cache.New[page](db.CacheEntry, cachefixture.Plain).Set(t.Context(), key, page{}, 0)
		}},
		{"json:list.", func(key string) error {
			return cache.New[list[page]](db.CacheEntry, cachefixture.Plain).Set(t.Context(), key, list[page]{}, 0)
		}},
		{"json:map.", func(key string) error {
			return cache.New[map[string]page](db.CacheEntry, cachefixture.Plain).Set(t.Context(), key, nil, 0)
		}},
		{strings.Repeat("c", 20) + ":alongnamethatsomeone.", func(key string) error {
			return cache.New[alongnamethatsomeonemighthavechosen](db.CacheEntry, long).Set(t.Context(), key, alongnamethatsomeonemighthavechosen{A: strings.Repeat("a", 100)}, 0)
		}},
	} {
		cachefixture.Must(t, test.set(test.want))
		row, err := db.CacheEntry.GetByKey(t.Context(), test.want)
		cachefixture.Must(t, err)
		if !strings.HasPrefix(row.CacheFormat, test.want) {
			t.Errorf("the format is %s, not %s", row.CacheFormat, test.want)
		}
	}
}

type alongnamethatsomeonemighthavechosen struct{ A string }
