package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/hegner123/modulagen/examples/cache/generated"
	"github.com/hegner123/modulagen/runtime/cache"
	"github.com/hegner123/modulagen/runtime/store"
	_ "github.com/hegner123/modulagen/runtime/store/mysql"
	_ "github.com/hegner123/modulagen/runtime/store/postgres"
	"github.com/hegner123/modulagen/runtime/store/storetest"
)

func Example() {
	_ = run(context.Background(), "sqlite::memory:")
	// Output:
	// rendered Hello, by Ada
	// kept     Hello, by Ada
	// rendered Hello again, by Ada
	// kept     Hello again, by Ada
	// /hello is text/html, 1-Hello, {"Title":"Hello again","By":"Ada"}
	// 2 loads for 4 reads, hit rate 50 %
}

// patience is the time limit of reads in tests: machines that run them are busy.
const patience = 20 * time.Second

func onEach(t *testing.T, test func(t *testing.T, db *generated.DB)) {
	for _, kind := range []string{"sqlite", "postgres", "mysql"} {
		t.Run(kind, func(t *testing.T) {
			dsn := "sqlite:" + filepath.Join(t.TempDir(), "cache.db")
			if kind != "sqlite" {
				dsn = storetest.FreshDSN(t, kind)
			}
			db, err := generated.Open(t.Context(), dsn, generated.Options{})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { db.Close() })
			test(t, db)
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatalf("waited too long for: %s", what)
		}
	}
}

// Every write of a post removes what is tagged with it, with the transaction.
func TestDependsOn(t *testing.T) {
	onEach(t, func(t *testing.T, db *generated.DB) {
		ctx := t.Context()
		pages := cache.New[string](db.PageCache, cache.Options{Timeout: patience})
		post, err := db.Post.Create(ctx, generated.PostNew{Title: "a", Slug: "a"})
		must(t, err)
		other, err := db.Post.Create(ctx, generated.PostNew{Title: "b", Slug: "b"})
		must(t, err)
		entries := map[string]string{
			"this": cache.RowTag("post", post.ID), "other": cache.RowTag("post", other.ID), "list": "post", "alike": "posts",
			"like this": cache.RowTag("post", fmt.Sprint(post.ID, "x")), "free": "page",
		}
		expect := func(what, gone string, change func(tx *generated.Tx) error) {
			t.Helper()
			for key, tag := range entries {
				must(t, pages.Set(ctx, key, "v", time.Hour, cache.Tags(tag)))
			}
			undone := errors.New("undone")
			if err := db.Tx(ctx, func(tx *generated.Tx) error { return errors.Join(undone, change(tx)) }); !errors.Is(err, undone) {
				t.Fatal(err)
			}
			for key := range entries {
				if _, ok := pages.Get(ctx, key); !ok {
					t.Errorf("%s: what was rolled back removed %s", what, key)
				}
			}
			must(t, db.Tx(ctx, change))
			for key := range entries {
				if _, ok := pages.Get(ctx, key); ok == strings.Contains(","+gone+",", ","+key+",") {
					t.Errorf("%s: %s is there: %v", what, key, ok)
				}
			}
		}
		expect("update", "this,list", func(tx *generated.Tx) error {
			_, err := tx.Post.Update(ctx, post.ID, generated.PostPatch{Title: store.Set("c")})
			return err
		})
		expect("upsert", "this,list", func(tx *generated.Tx) error {
			_, err := tx.Post.UpsertBySlug(ctx, generated.PostNew{Title: "d", Slug: "a"})
			return err
		})
		expect("create", "list", func(tx *generated.Tx) error {
			_, err := tx.Post.Create(ctx, generated.PostNew{Title: "e", Slug: "e"})
			return err
		})
		expect("create many", "list", func(tx *generated.Tx) error {
			_, err := tx.Post.CreateMany(ctx, []generated.PostNew{{Title: "f", Slug: "f"}, {Title: "g", Slug: "g"}})
			return err
		})
		expect("nothing", "", func(tx *generated.Tx) error {
			_, err := tx.Author.Create(ctx, generated.AuthorNew{Name: "A"})
			return err
		})
		expect("delete", "this,list", func(tx *generated.Tx) error { return tx.Post.Delete(ctx, post.ID) })
		expect("delete where", "other,list", func(tx *generated.Tx) error {
			_, err := tx.Post.DeleteWhere(ctx, generated.PostFields.ID.Eq(other.ID))
			return err
		})
		if _, err := db.Post.Update(ctx, post.ID, generated.PostPatch{Title: store.Set("x")}); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("updating a post that is gone gives %v", err)
		}
		if got, err := db.Post.Create(ctx, generated.PostNew{Title: "no", Slug: "No Slug"}); got != nil || !errors.Is(err, store.ErrInvalid) {
			t.Errorf("a wrong post gives %v, %v", got, err)
		}
	})
}

// A value's column may be JSON: what is JSON stands in it as it is, what is not is
// wrapped.
func TestJSONColumn(t *testing.T) {
	onEach(t, func(t *testing.T, db *generated.DB) {
		ctx := t.Context()
		secret := []cache.Key{{ID: "k1", Secret: []byte("0123456789abcdef")}}
		for name, opts := range map[string]cache.Options{
			"json": {Memory: -1}, "gob": {Memory: -1, Codec: cache.Gob()}, "raw": {Memory: -1, Codec: cache.Raw()},
			"zstd": {Memory: -1, Compress: 1}, "aes": {Memory: -1, Compress: 10, Keys: secret},
		} {
			opts.Timeout = patience
			texts := cache.New[string](db.PageCache, opts)
			for _, want := range []string{"", "text", "a\x00b", strings.Repeat("long ", 1000), `{"a": 1}`} {
				must(t, texts.Set(ctx, name, want, time.Hour))
				if got, ok := texts.Get(ctx, name); !ok || got != want {
					t.Errorf("%s: got %.20q, %v, want %.20q", name, got, ok, want)
				}
			}
		}
		pages := cache.New[Page](db.PageCache, cache.Options{Timeout: patience})
		must(t, pages.Set(ctx, "p", Page{Title: "T"}, 0, cache.Tags(strings.Repeat("long", 9), "and", "more")))
		row, err := db.PageCache.GetByPath(ctx, "p")
		must(t, err)
		if got := strings.ReplaceAll(string(row.Document), " ", ""); !strings.Contains(got, `"Title":"T"`) || !strings.HasSuffix(row.Tags.V, "…") {
			t.Errorf("a person reads %s, tags %s", row.Document, row.Tags.V)
		}
		if !row.ExpiresAt.Valid || row.ExpiresAt.V.After(time.Now().Add(31*24*time.Hour)) {
			t.Errorf("an entry lives until %v, beyond max_age", row.ExpiresAt)
		}
	})
}

func TestFieldsOfOnesOwn(t *testing.T) {
	onEach(t, func(t *testing.T, db *generated.DB) {
		ctx := t.Context()
		pages := cache.New[string](db.PageCache, cache.Options{Timeout: patience})
		with := cache.With(generated.PageCachePatch{Etag: store.Set("e1"), ContentType: store.Set("text/plain")})
		etag := func(want, kind string) {
			t.Helper()
			row, err := db.PageCache.GetByPath(ctx, "p")
			must(t, err)
			if row.Etag.V != want || row.ContentType != kind {
				t.Errorf("etag %q, type %q, want %q, %q", row.Etag.V, row.ContentType, want, kind)
			}
		}
		must(t, pages.Set(ctx, "p", "v", time.Hour, with))
		etag("e1", "text/plain")
		must(t, pages.Set(ctx, "p", "v", time.Hour)) // a new value has none of the old one's
		etag("", "text/html")
		must(t, pages.Delete(ctx, "p"))
		ok, err := pages.Add(ctx, "p", "v", time.Hour, with)
		if !ok || err != nil {
			t.Errorf("Add gives %v, %v", ok, err)
		}
		etag("e1", "text/plain")
		must(t, pages.Delete(ctx, "p"))
		_, err = pages.Fetch(ctx, "p", time.Hour, func(context.Context) (string, error) { return "v", nil }, with)
		must(t, err)
		etag("e1", "text/plain")
		if err := pages.Set(ctx, "p", "v", 0, cache.With(generated.PostPatch{})); !errors.Is(err, store.ErrInvalid) || !strings.Contains(err.Error(), "PageCachePatch") {
			t.Errorf("another datatype's patch gives %v", err)
		}
		if err := pages.Set(ctx, "p", "v", 0, cache.With(generated.PageCachePatch{Etag: store.Set(strings.Repeat("x", 999))})); !errors.Is(err, store.ErrInvalid) {
			t.Errorf("an etag that is too long gives %v", err)
		}
		etag("e1", "text/plain") // nothing of it was written
	})
}

// The table is held to its bounds; what was used least recently goes.
func TestBounds(t *testing.T) {
	onEach(t, func(t *testing.T, db *generated.DB) {
		ctx := t.Context()
		texts := cache.New[string](db.PageCache, cache.Options{Timeout: patience, Memory: -1})
		set := func(from, to int) {
			for i := from; i < to; i++ {
				must(t, texts.Set(ctx, fmt.Sprint("k", i), "v", time.Hour))
			}
		}
		within := func(most int64) {
			until(t, "the table to be within its bounds", func() bool {
				entries, bytes, err := texts.Size(ctx)
				must(t, err)
				return entries <= most && bytes <= 100_000
			})
		}
		set(0, 200)
		for i := range 20 {
			texts.Get(ctx, fmt.Sprint("k", i))
		}
		if n, err := texts.Evict(ctx); n != 0 || err != nil {
			t.Errorf("within its bounds it removed %d, %v", n, err)
		}
		set(200, 201)
		within(180)
		for _, test := range []struct {
			key  int
			want bool
		}{{0, true}, {19, true}, {20, false}, {40, false}, {41, true}, {200, true}} {
			if _, ok := texts.Get(ctx, fmt.Sprint("k", test.key)); ok != test.want {
				t.Errorf("k%d is there: %v", test.key, ok)
			}
		}
		set(201, 400)
		within(200)
		big := strings.Repeat("x", 1000)
		for i := range 150 {
			must(t, texts.Set(ctx, fmt.Sprint("big", i), big, time.Hour))
		}
		within(200)
		entries, bytes, err := texts.Size(ctx)
		if bytes < 80_000 || entries < 80 || err != nil {
			t.Errorf("%d entries of %d bytes are left, %v", entries, bytes, err)
		}
		if s := texts.Stats(); s.Evicted < 200 {
			t.Errorf("counted %d", s.Evicted)
		}
	})
}

// Run tidies up, and flushes when it ends.
func TestRunMaintains(t *testing.T) {
	onEach(t, func(t *testing.T, db *generated.DB) {
		texts := cache.New[string](db.PageCache, cache.Options{Timeout: patience, Memory: -1})
		must(t, texts.Set(t.Context(), "gone", "v", 1))
		must(t, texts.Set(t.Context(), "used", "v", 0))
		texts.Get(t.Context(), "used")
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- db.Run(ctx, generated.Workers{}) }()
		for end := time.Now().Add(20 * time.Second); texts.Stats().Expired == 0; time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatal("what has expired is not removed")
			}
		}
		texts.Get(t.Context(), "used")
		stop()
		must(t, <-done)
		row, err := db.PageCache.GetByPath(t.Context(), "used")
		must(t, err)
		if row.CacheHits != 2 {
			t.Errorf("%d hits were written", row.CacheHits)
		}
	})
}
