package cache_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"github.com/hegner123/modulagen/generated"
	"github.com/hegner123/modulagen/internal/cachefixture"
	"github.com/hegner123/modulagen/runtime/cache"
	"github.com/hegner123/modulagen/runtime/cache/backend"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/store/storetest"
)

// What one process changes, others forget: within the time that the page for
// users states.
func TestMemoryOfOtherProcesses(t *testing.T) {
	stated := map[string]time.Duration{"sqlite": 100 * time.Millisecond, "postgres": 100 * time.Millisecond, "mysql": 400 * time.Millisecond}
	cachefixture.OnEach(t, func(t *testing.T, p cachefixture.Place) {
		p.Clock = nil
		ctx := t.Context()
		mine := cache.New[string](p.Open(t).CacheEntry, cache.Options{Timeout: cachefixture.Patience, MemoryFor: time.Hour})
		otherDB := p.Open(t)
		other := cache.New[string](otherDB.CacheEntry, cache.Options{Timeout: cachefixture.Patience, MemoryFor: time.Hour})
		changes := map[string]func() error{
			"set":    func() error { return other.Set(ctx, "k", "new", time.Hour) },
			"delete": func() error { return other.Delete(ctx, "k") },
			"tag":    func() error { _, err := other.InvalidateTags(ctx, "t"); return err },
			"prefix": func() error { _, err := other.InvalidatePrefix(ctx, "k"); return err },
			"clear":  func() error { _, err := other.Clear(ctx); return err },
			"touch":  func() error { _, err := other.Touch(ctx, "k", 1); return err },
			"transaction": func() error {
				return otherDB.Tx(ctx, func(tx *generated.Tx) error { return other.In(tx.CacheEntry).Set(ctx, "k", "new", 0) })
			},
		}
		for name, change := range changes {
			t.Run(name, func(t *testing.T) {
				cachefixture.Must(t, mine.Set(ctx, "k", "old", time.Hour, cache.Tags("t")))
				cachefixture.Must(t, mine.Set(ctx, "other", "stays", time.Hour))
				memory := mine.Stats().MemoryHits
				cachefixture.WantValue(t, mine, "k", "old")
				if mine.Stats().MemoryHits != memory+1 {
					t.Fatal("it was not in memory")
				}
				cachefixture.Must(t, change())
				start := time.Now()
				cachefixture.Until(t, "the change to be read", func() bool { v, _ := mine.Get(ctx, "k"); return v != "old" })
				if took := time.Since(start); took > 10*stated[p.Kind] { // ten times what is stated: machines of tests are busy
					t.Errorf("it took %s", took)
				}
				if name != "clear" {
					memory = mine.Stats().MemoryHits
					cachefixture.WantValue(t, mine, "other", "stays")
					if mine.Stats().MemoryHits != memory+1 {
						t.Error("what was not changed was forgotten too")
					}
				}
			})
		}
	})
}

// Memory asks again after MemoryFor, whatever was read.
func TestMemoryIsNotForEver(t *testing.T) {
	cachefixture.OnEach(t, func(t *testing.T, p cachefixture.Place) {
		ctx := t.Context()
		db := p.Open(t)
		texts := cache.New[string](db.CacheEntry, cache.Options{Timeout: cachefixture.Patience, MemoryFor: time.Minute})
		cachefixture.Must(t, texts.Set(ctx, "k", "v", 0))
		cachefixture.WantValue(t, texts, "k", "v")
		_, err := db.Store().Conn().Exec(ctx, "DELETE FROM cache_entry", nil) // past the cache, and past its table's methods
		cachefixture.Must(t, err)
		cachefixture.WantValue(t, texts, "k", "v")
		p.Clock.Add(61 * time.Second)
		cachefixture.WantMiss(t, texts, "k")
	})
}

func TestHashesAlike(t *testing.T) {
	a, b := alike(t)
	cachefixture.OnEach(t, func(t *testing.T, p cachefixture.Place) {
		texts := cache.New[string](p.Open(t).CacheEntry, cache.Options{Timeout: cachefixture.Patience, Jitter: -1})
		cachefixture.Must(t, texts.Set(t.Context(), a, "a", 0))
		cachefixture.Must(t, texts.Set(t.Context(), b, "b", 0))
		for range 3 {
			cachefixture.WantValue(t, texts, a, "a")
			cachefixture.WantValue(t, texts, b, "b")
		}
		cachefixture.Must(t, texts.Delete(t.Context(), a))
		cachefixture.WantMiss(t, texts, a)
		cachefixture.WantValue(t, texts, b, "b")
	})
}

// alike returns two keys with one hash. They were found by what is known of how it is
// made: each has a first word of eight characters, and the second word of one makes up
// for the difference.
func alike(t *testing.T) (string, string) {
	t.Helper()
	const a, b = "aaaaaaaabbbbbbbb", "00001964!jk%3X|n"
	if backend.Hash(a) != backend.Hash(b) {
		t.Fatalf("%q and %q have the hashes %x and %x", a, b, backend.Hash(a), backend.Hash(b))
	}
	return a, b
}

// A database that fails is a miss that is counted and logged; a write says so.
func TestDatabaseIsAway(t *testing.T) {
	cachefixture.OnEach(t, func(t *testing.T, p cachefixture.Place) {
		ctx := t.Context()
		var log bytes.Buffer
		db := p.Open(t)
		texts := cache.New[string](db.CacheEntry, cache.Options{Timeout: cachefixture.Patience, Memory: -1, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		cachefixture.Must(t, texts.Set(ctx, "k", "v", 0))
		cachefixture.Must(t, db.Close())
		cachefixture.WantMiss(t, texts, "k")
		if many := texts.GetMany(ctx, []string{"k"}); len(many) != 0 {
			t.Errorf("got %v", many)
		}
		if v, err := texts.Fetch(ctx, "k", 0, func(context.Context) (string, error) { return "loaded", nil }); v != "loaded" || err != nil {
			t.Errorf("fetched %q, %v", v, err)
		}
		if s := texts.Stats(); s.Errors < 3 || s.Misses < 2 {
			t.Errorf("stats %+v", s)
		}
		if n := strings.Count(log.String(), "\n"); n != 1 || !strings.Contains(log.String(), "cache_entry") {
			t.Errorf("%d lines were logged: %s", n, log.String())
		}
		if err := texts.Set(ctx, "k", "v", 0); !errors.Is(err, store.ErrClosed) {
			t.Errorf("Set gives %v", err)
		}
		if _, err := texts.InvalidateTags(ctx, "t"); !errors.Is(err, store.ErrClosed) {
			t.Errorf("InvalidateTags gives %v", err)
		}
	})
}

// A locked table makes reads wait no longer than Options.Timeout.
func TestLockedDatabase(t *testing.T) {
	for _, kind := range []string{"sqlite", "postgres", "mysql"} {
		t.Run(kind, func(t *testing.T) {
			p := cachefixture.Place{Kind: kind}
			if kind == "sqlite" {
				p.DSN = "sqlite:" + filepath.Join(t.TempDir(), "cache.db")
			} else {
				p.DSN = storetest.FreshDSN(t, kind)
			}
			ctx := t.Context()
			db := p.Open(t)
			texts := cache.New[string](db.CacheEntry, cache.Options{Memory: -1, Timeout: 100 * time.Millisecond})
			cachefixture.Must(t, texts.Set(ctx, "k", "v", 0))
			unlock := lock(t, p)
			start := time.Now()
			if kind == "sqlite" {
				cachefixture.WantValue(t, texts, "k", "v") // readers do not wait for a writer
			} else {
				cachefixture.WantMiss(t, texts, "k")
			}
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("a read took %s", took)
			}
			v, err := texts.Fetch(ctx, "new", 0, func(context.Context) (string, error) { return "loaded", nil })
			if v != "loaded" || err != nil {
				t.Errorf("fetched %q, %v", v, err)
			}
			short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
			defer cancel()
			if err := texts.Set(short, "k", "w", 0); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Set gives %v", err)
			}
			unlock()
			cachefixture.Until(t, "the lock to be gone", func() bool { _, ok := texts.Get(ctx, "k"); return ok })
			cachefixture.Must(t, texts.Set(ctx, "k", "x", 0))
			cachefixture.WantValue(t, texts, "k", "x")
		})
	}
}

// lock keeps others out of the cache's table.
func lock(t *testing.T, p cachefixture.Place) (unlock func()) {
	t.Helper()
	if p.Kind == "sqlite" {
		db, err := sql.Open("sqlite", strings.TrimPrefix(p.DSN, "sqlite:"))
		cachefixture.Must(t, err)
		db.SetMaxOpenConns(1)
		_, err = db.Exec("BEGIN IMMEDIATE")
		cachefixture.Must(t, err)
		return func() {
			_, err := db.Exec("ROLLBACK")
			cachefixture.Must(t, err)
			cachefixture.Must(t, db.Close())
		}
	}
	statement := map[string]string{"postgres": "LOCK TABLE cache_entry IN ACCESS EXCLUSIVE MODE", "mysql": "LOCK TABLES cache_entry WRITE"}[p.Kind]
	locked, release, done := make(chan error), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		db, err := core.Open(context.Background(), p.DSN, nil, store.Options{MaxConns: 1})
		if err != nil {
			locked <- err
			return
		}
		defer db.Close()
		_ = db.Tx(context.Background(), func(c *core.Conn) error {
			_, err := c.Exec(context.Background(), statement, nil)
			locked <- err
			<-release
			return errors.New("that is all")
		})
	}()
	cachefixture.Must(t, <-locked)
	return func() { close(release); <-done }
}

func TestReadOnlyDatabase(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		ctx := t.Context()
		path := filepath.Join(t.TempDir(), "cache.db")
		db, err := generated.Open(ctx, "sqlite:"+path, generated.Options{})
		cachefixture.Must(t, err)
		texts := cache.New[string](db.CacheEntry, cache.Options{Timeout: cachefixture.Patience, Memory: -1})
		cachefixture.Must(t, texts.Set(ctx, "k", "v", 0))
		_, err = db.Store().Conn().Exec(ctx, "PRAGMA query_only = ON", nil)
		cachefixture.Must(t, err)
		refused(t, texts)
		cachefixture.Must(t, db.Close())
	})
	t.Run("postgres", func(t *testing.T) {
		ctx := t.Context()
		p := cachefixture.Place{Kind: "postgres", DSN: storetest.FreshDSN(t, "postgres")}
		db := p.Open(t)
		cachefixture.Must(t, cache.New[string](db.CacheEntry, cachefixture.Plain).Set(ctx, "k", "v", 0))
		name := p.DSN[strings.LastIndex(p.DSN, "/")+1:]
		name, _, _ = strings.Cut(name, "?")
		_, err := db.Store().Conn().Exec(ctx, fmt.Sprintf("ALTER DATABASE %s SET default_transaction_read_only = on", name), nil)
		cachefixture.Must(t, err)
		refused(t, cache.New[string](p.Open(t).CacheEntry, cachefixture.Plain)) // new connections are read-only
	})
	t.Run("mysql", func(t *testing.T) {
		ctx := t.Context()
		p := cachefixture.Place{Kind: "mysql", DSN: storetest.FreshDSN(t, "mysql")}
		db := p.Open(t)
		cachefixture.Must(t, cache.New[string](db.CacheEntry, cachefixture.Plain).Set(ctx, "k", "v", 0))
		for _, verb := range []string{"INSERT", "UPDATE", "DELETE"} { // it has no switch for one database
			_, err := db.Store().Conn().Exec(ctx, "CREATE TRIGGER no_"+verb+" BEFORE "+verb+
				" ON cache_entry FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'read-only'", nil)
			cachefixture.Must(t, err)
		}
		refused(t, cache.New[string](db.CacheEntry, cachefixture.Plain))
	})
}

// refused wants what was there to be read, and writes to fail.
func refused(t *testing.T, texts *cache.Cache[string]) {
	t.Helper()
	ctx := t.Context()
	cachefixture.WantValue(t, texts, "k", "v")
	if err := texts.Set(ctx, "k", "w", 0); err == nil {
		t.Error("Set on a read-only database says nothing")
	}
	if v, err := texts.Fetch(ctx, "new", 0, func(context.Context) (string, error) { return "loaded", nil }); v != "loaded" || err != nil {
		t.Errorf("fetched %q, %v", v, err)
	}
	cachefixture.WantValue(t, texts, "k", "v")
}

func TestValuesOverTheLimit(t *testing.T) {
	cachefixture.OnEach(t, func(t *testing.T, p cachefixture.Place) {
		ctx := t.Context()
		texts := cache.New[string](p.Open(t).CacheEntry, cache.Options{Timeout: cachefixture.Patience, Memory: -1, MaxValue: 1000, Codec: cache.Raw()})
		cachefixture.Must(t, texts.Set(ctx, "k", strings.Repeat("x", 1000), 0))
		long := strings.Repeat("x", 1001)
		if err := texts.Set(ctx, "k", long, 0); !errors.Is(err, cache.ErrTooLarge) {
			t.Errorf("Set gives %v", err)
		}
		n := 0
		for range 2 { // each caller gets it; it is not kept
			v, err := texts.Fetch(ctx, "long", 0, func(context.Context) (string, error) { n++; return long, nil })
			if v != long || err != nil {
				t.Errorf("fetched %d bytes, %v", len(v), err)
			}
		}
		if n != 2 {
			t.Errorf("%d loads", n)
		}
	})
}

func TestWrongOptions(t *testing.T) {
	p := cachefixture.Place{Kind: "sqlite", DSN: "sqlite::memory:"}
	db := p.Open(t)
	for _, opts := range []cache.Options{
		{TTL: -1},
		{Timeout: -1},
		{Lease: 1},
		{Jitter: 1},
		{RefreshAhead: 1},
		{RefreshAhead: -1},
		{MaxValue: -1},
		{Compress: -1},
		{Keys: []cache.Key{{ID: "k", Secret: []byte("short")}}},
		{Keys: []cache.Key{{ID: "K+", Secret: make([]byte, 16)}}},
		{Codec: named("int")},
		{Codec: named("has space")},
	} {
		c := cache.New[string](db.CacheEntry, opts)
		if err := c.Err(); !errors.Is(err, store.ErrInvalid) {
			t.Errorf("%+v gives %v", opts, err)
		}
		if err := c.Set(t.Context(), "k", "v", 0); !errors.Is(err, store.ErrInvalid) {
			t.Errorf("Set with %+v gives %v", opts, err)
		}
		cachefixture.WantMiss(t, c, "k")
	}
	if err := cache.New[string](db.CacheEntry, cache.Options{Timeout: cachefixture.Patience}).Err(); err != nil {
		t.Error(err)
	}
}

// named is JSON by another name.
type named string

func (n named) Name() string                     { return string(n) }
func (n named) Encode(v any) ([]byte, error)     { return cache.JSON().Encode(v) }
func (n named) Decode(data []byte, to any) error { return cache.JSON().Decode(data, to) }

// A value that does not decode is a miss, and counted.
func TestCodecs(t *testing.T) {
	cachefixture.OnEach(t, func(t *testing.T, p cachefixture.Place) {
		ctx := t.Context()
		db := p.Open(t)
		type key struct{ A, B int }
		value := map[string]key{"x": {1, 2}}
		for name, opts := range map[string]cache.Options{
			"json": {}, "gob": {Codec: cache.Gob()}, "own": {Codec: named("own")}, "zstd": {Compress: 1, Codec: cache.Gob()},
		} {
			opts.Memory, opts.Timeout = -1, cachefixture.Patience
			c := cache.New[map[string]key](db.CacheEntry, opts)
			cachefixture.Must(t, c.Set(ctx, name, value, 0))
			if got, ok := c.Get(ctx, name); !ok || got["x"] != value["x"] {
				t.Errorf("%s: got %v, %v", name, got, ok)
			}
		}
		wrong := cache.New[[]int](db.CacheEntry, cachefixture.Plain)
		for _, key := range []string{"json", "gob", "own", "zstd"} {
			if v, ok := wrong.Get(ctx, key); ok {
				t.Errorf("%s: got %v", key, v)
			}
		}
		if s := wrong.Stats(); s.Undecodable != 4 || s.Misses != 0 && s.Misses != 4 {
			t.Errorf("stats %+v", s)
		}
		raw := cache.New[[]byte](db.CacheEntry, cache.Options{Timeout: cachefixture.Patience, Memory: -1, Codec: cache.Raw()})
		cachefixture.Must(t, raw.Set(ctx, "raw", []byte{0, 255, 1}, 0))
		if got, ok := raw.Get(ctx, "raw"); !ok || !bytes.Equal(got, []byte{0, 255, 1}) {
			t.Errorf("raw: got %v, %v", got, ok)
		}
		if err := cache.New[int](db.CacheEntry, cache.Options{Timeout: cachefixture.Patience, Codec: cache.Raw()}).Set(ctx, "n", 1, 0); err == nil {
			t.Error("the raw codec took a number")
		}
		if err := cache.New[any](db.CacheEntry, cachefixture.Plain).Set(ctx, "c", make(chan int), 0); err == nil {
			t.Error("a channel was encoded")
		}
	})
}

func TestKeysRotate(t *testing.T) {
	cachefixture.OnEach(t, func(t *testing.T, p cachefixture.Place) {
		ctx := t.Context()
		db := p.Open(t)
		old := cache.Key{ID: "k1", Secret: []byte("0123456789abcdef")}
		young := cache.Key{ID: "k2", Secret: []byte("0123456789abcdef0123456789abcdef")}
		with := func(keys ...cache.Key) *cache.Cache[string] {
			return cache.New[string](db.CacheEntry, cache.Options{Timeout: cachefixture.Patience, Memory: -1, Keys: keys, Compress: 100})
		}
		cachefixture.Must(t, with(old).Set(ctx, "a", "secret", 0))
		row, err := db.CacheEntry.GetByKey(ctx, "a")
		cachefixture.Must(t, err)
		if bytes.Contains(row.Value, []byte("secret")) || row.CacheFormat != "json:string+aes:k1" {
			t.Errorf("the row holds %q in the format %s", row.Value, row.CacheFormat)
		}
		cachefixture.WantValue(t, with(young, old), "a", "secret")
		cachefixture.Must(t, with(young, old).Set(ctx, "b", strings.Repeat("secret", 100), 0))
		cachefixture.WantValue(t, with(young), "b", strings.Repeat("secret", 100))
		cachefixture.WantMiss(t, with(young), "a")
		cachefixture.WantMiss(t, cache.New[string](db.CacheEntry, cachefixture.Plain), "a")
		// A value that is moved to another key, or changed, does not open.
		putEntry(t, db, "c", row.Value, row.CacheFormat)
		cachefixture.WantMiss(t, with(old), "c")
		_, err = db.CacheEntry.Update(ctx, row.ID, generated.CacheEntryPatch{Value: store.Set(append(row.Value[:len(row.Value)-1], row.Value[len(row.Value)-1]^1))})
		cachefixture.Must(t, err)
		cachefixture.WantMiss(t, with(old), "a")
		_, err = db.CacheEntry.Update(ctx, row.ID, generated.CacheEntryPatch{Value: store.Set([]byte("x"))})
		cachefixture.Must(t, err)
		cachefixture.WantMiss(t, with(old), "a")
		if _, err := with(old).Increment(ctx, "n", 1, 0); !errors.Is(err, store.ErrInvalid) {
			t.Errorf("a counter gives %v", err)
		}
	})
}

// A program that holds every connection of its pool goes on forgetting.
func TestForgetsWhileThePoolIsHeld(t *testing.T) {
	cachefixture.OnEach(t, func(t *testing.T, p cachefixture.Place) {
		if p.Kind == "sqlite" {
			return // its readers have no pool to run out of
		}
		p.Clock = nil
		ctx := t.Context()
		const conns = 2
		db, err := generated.Open(ctx, p.DSN, generated.Options{MaxConns: conns})
		cachefixture.Must(t, err)
		t.Cleanup(func() { db.Close() })
		mine := cache.New[string](db.CacheEntry, cache.Options{Timeout: 50 * time.Millisecond, MemoryFor: time.Hour})
		other := cache.New[string](p.Open(t).CacheEntry, cache.Options{Timeout: cachefixture.Patience})
		cachefixture.Until(t, "the value to be in memory", func() bool {
			hits := mine.Stats().MemoryHits
			if _, ok := mine.Get(ctx, "k"); !ok {
				_ = mine.Set(ctx, "k", "old", time.Hour) // tried again: its time is short
			}
			return mine.Stats().MemoryHits > hits
		})
		held, release := make(chan struct{}, conns), make(chan struct{})
		var holders sync.WaitGroup
		for range conns {
			holders.Go(func() {
				cachefixture.Must(t, db.Tx(ctx, func(tx *generated.Tx) error {
					if _, err := tx.CacheEntry.Count(ctx, store.Everything[generated.CacheEntryID](), 1); err != nil {
						return err
					}
					held <- struct{}{}
					<-release
					return nil
				}))
			})
		}
		defer holders.Wait()
		defer close(release)
		for range conns {
			<-held
		}
		cachefixture.WantValue(t, mine, "k", "old")
		cachefixture.Must(t, other.Set(ctx, "k", "new", time.Hour))
		cachefixture.Until(t, "the change to be read", func() bool { v, _ := mine.Get(ctx, "k"); return v != "old" })
	})
}
