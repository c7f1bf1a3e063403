package cache_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hegner123/modulagen/internal/cachefixture"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"

	"github.com/hegner123/modulagen/generated"
	"github.com/hegner123/modulagen/runtime/cache"
)

// held is a load that blocks until it is released, as one that reads slowly what
// is then changed.
type held struct {
	started, release chan struct{}
}

func hold() held { return held{make(chan struct{}), make(chan struct{})} }

func (h held) gives(v string) cache.Load[string] {
	return func(context.Context) (string, error) {
		close(h.started)
		<-h.release
		return v, nil
	}
}

// got is what a Fetch returned.
type got struct {
	value string
	err   error
}

func fetching(t *testing.T, c *cache.Cache[string], load cache.Load[string]) <-chan got {
	t.Helper()
	done := make(chan got, 1)
	go func() {
		v, err := c.Fetch(t.Context(), "k", time.Minute, load, cache.Tags("t"))
		done <- got{v, err}
	}()
	return done
}

// changes are what makes a running load outdated.
var changes = map[string]func(t *testing.T, db *generated.DB, c *cache.Cache[string]) error{
	"Delete": func(t *testing.T, _ *generated.DB, c *cache.Cache[string]) error { return c.Delete(t.Context(), "k") },
	"InvalidateTags": func(t *testing.T, _ *generated.DB, c *cache.Cache[string]) error {
		_, err := c.InvalidateTags(t.Context(), "t")
		return err
	},
	"InvalidatePrefix": func(t *testing.T, _ *generated.DB, c *cache.Cache[string]) error {
		_, err := c.InvalidatePrefix(t.Context(), "k")
		return err
	},
	"Clear": func(t *testing.T, _ *generated.DB, c *cache.Cache[string]) error {
		_, err := c.Clear(t.Context())
		return err
	},
	"transaction": func(t *testing.T, db *generated.DB, c *cache.Cache[string]) error {
		return db.Tx(t.Context(), func(tx *generated.Tx) error { return c.In(tx.CacheEntry).Delete(t.Context(), "k") })
	},
}

// A Fetch that begins after an invalidation has returned never gets what a load
// that began before it has read, and does not wait for it either.
func TestFetchDoesNotJoinAnOutdatedLoad(t *testing.T) {
	cachefixture.OnEach(t, func(t *testing.T, p cachefixture.Place) {
		p.Clock = nil
		for name, change := range changes {
			for memory, bytes := range map[string]int64{"memory": 0, "table": -1} {
				t.Run(name+" "+memory, func(t *testing.T) {
					db := p.Open(t)
					texts := cache.New[string](db.CacheEntry, cache.Options{Timeout: cachefixture.Patience, Memory: bytes})
					cachefixture.Must(t, texts.Delete(t.Context(), "k"))
					old := hold()
					first := fetching(t, texts, old.gives("old"))
					on(t, old.started)
					joined := fetching(t, texts, old.gives("a second load"))
					cachefixture.Until(t, "two to wait", func() bool { return cache.Waiting(texts, "k") == 2 })
					cachefixture.Must(t, change(t, db, texts))
					var n loads
					if later := on(t, fetching(t, texts, n.gives("new"))); later != (got{"new", nil}) {
						t.Errorf("who asked after it got %+v", later)
					}
					n.want(t, 1)
					close(old.release)
					for _, before := range []<-chan got{first, joined} {
						if g := on(t, before); g != (got{"old", nil}) {
							t.Errorf("who asked before it got %+v", g)
						}
					}
					cachefixture.WantValue(t, texts, "k", "new")
				})
			}
		}
		t.Run("Set", func(t *testing.T) {
			texts := cache.New[string](p.Open(t).CacheEntry, cache.Options{Timeout: cachefixture.Patience, Memory: -1})
			cachefixture.Must(t, texts.Delete(t.Context(), "k"))
			old := hold()
			first := fetching(t, texts, old.gives("old"))
			on(t, old.started)
			cachefixture.Must(t, texts.Set(t.Context(), "k", "set", 0))
			var n loads
			if later := on(t, fetching(t, texts, n.gives("new"))); later != (got{"set", nil}) {
				t.Errorf("who asked after it got %+v", later)
			}
			n.want(t, 0)
			close(old.release)
			on(t, first)
		})
	})
}

// Many ask after an invalidation while the outdated load still runs: they share
// one new load.
func TestManyAfterAnInvalidation(t *testing.T) {
	cachefixture.OnEach(t, func(t *testing.T, p cachefixture.Place) {
		p.Clock = nil
		texts := cache.New[string](p.Open(t).CacheEntry, cache.Options{Timeout: cachefixture.Patience})
		old, young := hold(), hold()
		first := fetching(t, texts, old.gives("old"))
		on(t, old.started)
		cachefixture.Must(t, texts.Delete(t.Context(), "k"))
		var all []<-chan got
		all = append(all, fetching(t, texts, young.gives("new")))
		on(t, young.started)
		for range 50 {
			all = append(all, fetching(t, texts, func(context.Context) (string, error) { return "", errors.New("one more load") }))
		}
		cachefixture.Until(t, "everyone to wait", func() bool { return cache.Waiting(texts, "k") == len(all) })
		close(young.release)
		for _, c := range all {
			if g := on(t, c); g != (got{"new", nil}) {
				t.Errorf("got %+v", g)
			}
		}
		close(old.release)
		on(t, first)
	})
}

// The same where another process invalidates: who has joined before it is read
// goes on to a new load, whether the outdated one still runs or not.
func TestFetchDoesNotJoinWhatAnotherProcessMadeOutdated(t *testing.T) {
	cachefixture.OnEach(t, func(t *testing.T, p cachefixture.Place) {
		p.Clock = nil
		for _, released := range []bool{false, true} {
			for memory, bytes := range map[string]int64{"memory": 0, "table": -1} {
				for name, change := range changes {
					t.Run(fmt.Sprint(name, " ", memory, " released ", released), func(t *testing.T) {
						texts := cache.New[string](p.Open(t).CacheEntry, cache.Options{Timeout: cachefixture.Patience, Memory: bytes})
						otherDB := p.Open(t)
						other := cache.New[string](otherDB.CacheEntry, cache.Options{Timeout: cachefixture.Patience})
						cachefixture.Must(t, other.Delete(t.Context(), "k"))
						old := hold()
						first := fetching(t, texts, old.gives("old"))
						on(t, old.started)
						cachefixture.Must(t, change(t, otherDB, other))
						var n loads
						later := fetching(t, texts, n.gives("new"))
						if released {
							close(old.release)
						}
						if g := on(t, later); g != (got{"new", nil}) {
							t.Errorf("who asked after it got %+v", g)
						}
						n.want(t, 1)
						if !released {
							close(old.release)
						}
						if g := on(t, first); g != (got{"old", nil}) {
							t.Errorf("who had it loaded got %+v", g)
						}
					})
				}
			}
		}
	})
}

// A load that was invalidated is no one's once all who waited have gone on.
func TestOutdatedLoadEndsWithItsLastWaiter(t *testing.T) {
	p := cachefixture.Place{Kind: "sqlite", DSN: "sqlite::memory:"}
	texts := cache.New[string](p.Open(t).CacheEntry, cache.Options{Timeout: cachefixture.Patience})
	ctx, leave := context.WithCancel(t.Context())
	started, ended := make(chan struct{}), make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		_, _ = texts.Fetch(ctx, "k", 0, func(ctx context.Context) (string, error) {
			close(started)
			<-ctx.Done()
			close(ended)
			return "", ctx.Err()
		})
	})
	on(t, started)
	cachefixture.Must(t, texts.Delete(t.Context(), "k"))
	var n loads
	wantFetch(t, texts, n.gives("new"), "new")
	leave()
	on(t, ended)
	all.Wait()
	cachefixture.WantValue(t, texts, "k", "new")
}

// A load that returns something when its context has ended may have stopped half
// way: it is a failure.
func TestLoadUnderAnEndedContextHasNoResult(t *testing.T) {
	cachefixture.OnEach(t, func(t *testing.T, p cachefixture.Place) {
		p.Clock = nil
		texts := cache.New[string](p.Open(t).CacheEntry, cache.Options{Timeout: cachefixture.Patience, LoadTimeout: time.Minute, NegativeTTL: time.Hour})
		for name, result := range map[string]error{"a value": nil, "nothing": cache.ErrNone} {
			t.Run(name, func(t *testing.T) {
				for _, reload := range []bool{false, true} {
					ctx, leave := context.WithCancel(t.Context())
					var opts []cache.Option
					if reload {
						opts = append(opts, cache.Reload())
					}
					ended := make(chan struct{})
					_, err := texts.Fetch(ctx, "k", 0, func(ctx context.Context) (string, error) {
						defer close(ended)
						leave()
						<-ctx.Done()
						return "half", result
					}, opts...)
					if !errors.Is(err, context.Canceled) {
						t.Errorf("who left got %v", err)
					}
					on(t, ended)
					var n loads
					wantFetch(t, texts, n.gives("whole"), "whole")
					n.want(t, 1)
					cachefixture.Must(t, texts.Delete(t.Context(), "k"))
				}
			})
		}
		t.Run("transaction", func(t *testing.T) {
			db := p.Open(t)
			texts := cache.New[string](db.CacheEntry, cache.Options{Timeout: cachefixture.Patience, LoadTimeout: time.Millisecond})
			cachefixture.Must(t, db.Tx(t.Context(), func(tx *generated.Tx) error {
				_, err := texts.In(tx.CacheEntry).Fetch(t.Context(), "k", 0, func(ctx context.Context) (string, error) {
					<-ctx.Done()
					return "half", nil
				})
				if !errors.Is(err, cache.ErrLoadTimeout) {
					t.Errorf("the load gives %v", err)
				}
				return nil
			}))
			cachefixture.WantMiss(t, texts, "k")
		})
	})
}

// A lease is given back when its load has failed, also when no one waits any more:
// the next one need not wait for its end.
func TestLeaseIsGivenBack(t *testing.T) {
	cachefixture.OnEach(t, func(t *testing.T, p cachefixture.Place) {
		p.Clock = nil
		opts := cache.Options{Timeout: cachefixture.Patience, Memory: -1, Lease: time.Hour, LoadTimeout: time.Minute}
		mine, other := cache.New[string](p.Open(t).CacheEntry, opts), cache.New[string](p.Open(t).CacheEntry, opts)
		fails := map[string]cache.Load[string]{
			"error":   func(context.Context) (string, error) { return "", errors.New("broken") },
			"nothing": func(context.Context) (string, error) { return "", cache.ErrNone },
			"panic":   func(context.Context) (string, error) { panic("broken") },
		}
		for name, load := range fails {
			t.Run(name, func(t *testing.T) {
				cachefixture.Must(t, mine.Delete(t.Context(), "k"))
				if _, err := mine.Fetch(t.Context(), "k", 0, load); err == nil {
					t.Fatal("the load did not fail")
				}
				ctx, cancel := context.WithTimeout(t.Context(), cachefixture.Patience)
				defer cancel()
				if v, err := other.Fetch(ctx, "k", 0, func(context.Context) (string, error) { return "v", nil }); v != "v" || err != nil {
					t.Errorf("another process got %q, %v", v, err)
				}
			})
		}
		t.Run("too large", func(t *testing.T) {
			opts := opts
			opts.MaxValue = 10
			cachefixture.Must(t, mine.Delete(t.Context(), "k"))
			small := cache.New[string](p.Open(t).CacheEntry, opts)
			wantFetch(t, small, func(context.Context) (string, error) { return "more than ten bytes", nil }, "more than ten bytes")
			var n loads
			ctx, cancel := context.WithTimeout(t.Context(), cachefixture.Patience)
			defer cancel()
			if v, err := other.Fetch(ctx, "k", 0, n.gives("v")); v != "v" || err != nil {
				t.Errorf("another process got %q, %v", v, err)
			}
		})
		t.Run("left", func(t *testing.T) {
			cachefixture.Must(t, mine.Delete(t.Context(), "k"))
			ctx, leave := context.WithCancel(t.Context())
			_, err := mine.Fetch(ctx, "k", 0, func(ctx context.Context) (string, error) {
				leave()
				<-ctx.Done()
				return "", ctx.Err()
			})
			if !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			within, cancel := context.WithTimeout(t.Context(), cachefixture.Patience)
			defer cancel()
			if v, err := other.Fetch(within, "k", 0, func(context.Context) (string, error) { return "v", nil }); v != "v" || err != nil {
				t.Errorf("another process got %q, %v", v, err)
			}
		})
	})
}

// Reload loads although there is a value, and does not wait for a load that began
// before it.
func TestReload(t *testing.T) {
	cachefixture.OnEach(t, func(t *testing.T, p cachefixture.Place) {
		p.Clock = nil
		db := p.Open(t)
		texts := cache.New[string](db.CacheEntry, cache.Options{Timeout: cachefixture.Patience})
		var n loads
		wantFetch(t, texts, n.gives("one"), "one")
		wantFetch(t, texts, n.gives("two"), "two", cache.Reload())
		n.want(t, 2)
		cachefixture.WantValue(t, texts, "k", "two")
		if _, err := texts.Fetch(t.Context(), "k", 0, n.fails(errors.New("broken")), cache.Reload()); err == nil {
			t.Error("a load that failed gave a value")
		}
		cachefixture.WantValue(t, texts, "k", "two") // what was there stays
		wantFetch(t, texts, func(ctx context.Context) (string, error) { return "outdated", texts.Delete(ctx, "k") }, "outdated", cache.Reload())
		cachefixture.WantMiss(t, texts, "k")
		cachefixture.Must(t, db.Tx(t.Context(), func(tx *generated.Tx) error {
			in := texts.In(tx.CacheEntry)
			wantFetch(t, in, n.gives("three"), "three")
			wantFetch(t, in, n.gives("four"), "four", cache.Reload())
			return nil
		}))
		cachefixture.WantValue(t, texts, "k", "four")
		cachefixture.Must(t, texts.Delete(t.Context(), "k"))
		old := hold()
		first := fetching(t, texts, old.gives("old"))
		on(t, old.started)
		wantFetch(t, texts, n.gives("new"), "new", cache.Reload())
		close(old.release)
		on(t, first)
	})
}

// What empties all of memory detaches every load too.
func TestForgetAllDetaches(t *testing.T) {
	p := cachefixture.Place{Kind: "sqlite", DSN: "sqlite::memory:"}
	db := p.Open(t)
	texts := cache.New[string](db.CacheEntry, cache.Options{Timeout: cachefixture.Patience})
	old := hold()
	first := fetching(t, texts, old.gives("old"))
	on(t, old.started)
	cachefixture.Must(t, db.Store().Conn().InTx(t.Context(), func(c *core.Conn) error { // past the cache, as what a process that slept has missed
		_, err := c.Exec(t.Context(), "DELETE FROM cache_entry", nil)
		return err
	}))
	db.CacheEntry.CacheBackend().Invalidator().ForgetAll()
	var n loads
	if g := on(t, fetching(t, texts, n.gives("new"))); g != (got{"new", nil}) {
		t.Errorf("who asked after it got %+v", g)
	}
	close(old.release)
	if g := on(t, first); g != (got{"old", nil}) {
		t.Errorf("who asked before it got %+v", g)
	}
}

// A load that has lost its lease is outdated, though no one was notified: who joined
// it goes on to another one, and who started it has its value.
func TestLostLeaseSendsJoinersOn(t *testing.T) {
	cachefixture.OnEach(t, func(t *testing.T, p cachefixture.Place) {
		p.Clock = nil
		db := p.Open(t)
		texts := cache.New[string](db.CacheEntry, cache.Options{Timeout: cachefixture.Patience})
		old := hold()
		first := fetching(t, texts, old.gives("old"))
		on(t, old.started)
		var n loads
		joined := fetching(t, texts, n.gives("new"))
		cachefixture.Until(t, "two to wait", func() bool { return cache.Waiting(texts, "k") == 2 })
		cachefixture.Must(t, db.Store().Conn().InTx(t.Context(), func(c *core.Conn) error { // past the cache: no one is notified
			_, err := c.Exec(t.Context(), "DELETE FROM cache_entry", nil)
			return err
		}))
		close(old.release)
		if g := on(t, joined); g != (got{"new", nil}) {
			t.Errorf("who joined it got %+v", g)
		}
		if g := on(t, first); g != (got{"old", nil}) {
			t.Errorf("who started it got %+v", g)
		}
		n.want(t, 1)
		if s := texts.Stats(); s.Discarded != 1 {
			t.Errorf("%d values were discarded", s.Discarded)
		}
	})
}

// Two keys with one hash are loaded beside each other.
func TestHashesAlikeInFlight(t *testing.T) {
	a, b := alike(t)
	p := cachefixture.Place{Kind: "sqlite", DSN: "sqlite::memory:"}
	texts := cache.New[string](p.Open(t).CacheEntry, cache.Options{Timeout: cachefixture.Patience})
	started, release, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		v, err := texts.Fetch(t.Context(), a, 0, func(context.Context) (string, error) {
			close(started)
			<-release
			return "a", nil
		})
		if v != "a" || err != nil {
			t.Errorf("a is %q, %v", v, err)
		}
	}()
	on(t, started)
	if v, err := texts.Fetch(t.Context(), b, 0, func(context.Context) (string, error) { return "b", nil }); v != "b" || err != nil {
		t.Errorf("b is %q, %v", v, err)
	}
	close(release)
	on(t, done)
	cachefixture.WantValue(t, texts, a, "a")
	cachefixture.WantValue(t, texts, b, "b")
}

// No key can be made to look like another one that is kept as its digest.
func TestKeysThatLookLikeDigests(t *testing.T) {
	p := cachefixture.Place{Kind: "sqlite", DSN: "sqlite::memory:"}
	db := p.Open(t)
	texts := cache.New[string](db.CacheEntry, cachefixture.Plain)
	cachefixture.Must(t, texts.Set(t.Context(), strings.Repeat("long", 1000), "long", 0))
	for row, err := range db.CacheEntry.All(t.Context(), store.Query[generated.CacheEntryID]{}) {
		cachefixture.Must(t, err)
		cachefixture.WantMiss(t, texts, row.Key)
		cachefixture.Must(t, texts.Set(t.Context(), row.Key, "other", 0))
		break
	}
	cachefixture.WantValue(t, texts, strings.Repeat("long", 1000), "long")
}
