package cache_test

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/hegner123/modulagen/generated"
	"github.com/hegner123/modulagen/runtime/cache"
)

// remembering are the options of a cache whose entries stay in memory.
var remembering = cache.Options{Timeout: patience, Jitter: -1, MemoryFor: 24 * time.Hour}

// foreign appends a change of another process under an id of the test's choice.
func foreign(t *testing.T, p place, db *generated.DB, id int64, keys ...string) {
	t.Helper()
	var packed []byte
	for _, key := range keys {
		packed = binary.LittleEndian.AppendUint64(packed, cache.Hash(key))
	}
	hashes := "X'" + hex.EncodeToString(packed) + "'"
	if p.kind == "postgres" {
		hashes = "decode('" + hex.EncodeToString(packed) + "', 'hex')"
	}
	_, err := db.Store().Conn().Exec(t.Context(), fmt.Sprintf("INSERT INTO cache_entry_changes (id, origin, hashes) VALUES (%d, 7, %s)", id, hashes), nil)
	must(t, err)
}

// wantMemory wants a key to be in memory, or not.
func wantMemory(t *testing.T, c *cache.Cache[string], key string, want bool) {
	t.Helper()
	hits := c.Stats().MemoryHits
	if _, ok := c.Get(t.Context(), key); !ok {
		t.Errorf("%q is gone", key)
	}
	if got := c.Stats().MemoryHits == hits+1; got != want {
		t.Errorf("%q is in memory: %v, want %v", key, got, want)
	}
}

// remember puts keys into the table and into memory.
func remember(t *testing.T, c *cache.Cache[string], keys ...string) {
	t.Helper()
	for _, key := range keys {
		must(t, c.Set(t.Context(), key, "v", 0))
		wantMemory(t, c, key, true)
	}
}

// Ids are given in one order and committed in another: a row that comes late is
// waited for, for as long as is stated, and so is each of several.
func TestChangesThatCommitLate(t *testing.T) {
	onEach(t, func(t *testing.T, p place) {
		ctx := t.Context()
		db := p.open(t)
		mine := cache.New[string](db.CacheEntry, remembering)
		r := cache.ReadByHand(db.CacheEntry.CacheBackend())
		must(t, r.Begin(ctx))
		remember(t, mine, "early", "soon", "late", "too late", "other")
		must(t, r.Read(ctx))
		wantMemory(t, mine, "early", true) // what it has changed itself
		first := r.Last()
		foreign(t, p, db, first+5, "early")
		must(t, r.Read(ctx))
		wantMemory(t, mine, "early", false)
		wantMemory(t, mine, "soon", true)
		if r.Gaps() != 4 || r.Last() != first+5 {
			t.Fatalf("%d gaps before %d", r.Gaps(), r.Last())
		}
		foreign(t, p, db, first+2, "soon")
		p.clock.add(10 * time.Millisecond)
		must(t, r.Read(ctx))
		wantMemory(t, mine, "soon", false)
		for range 28 {
			p.clock.add(time.Second)
			must(t, r.Read(ctx))
		}
		foreign(t, p, db, first+3, "late")
		p.clock.add(time.Second)
		must(t, r.Read(ctx))
		wantMemory(t, mine, "late", false)
		if r.Gaps() != 2 {
			t.Errorf("%d gaps, want 2", r.Gaps())
		}
		p.clock.add(2 * time.Second)
		must(t, r.Read(ctx))
		if r.Gaps() != 0 {
			t.Errorf("%d gaps are waited for after 31 s", r.Gaps())
		}
		wantMemory(t, mine, "other", true)
	})
}

// Gaps that come faster than one is given up do not add up, and keep nothing from
// being read once.
func TestManyGaps(t *testing.T) {
	onEach(t, func(t *testing.T, p place) {
		ctx := t.Context()
		db := p.open(t)
		mine := cache.New[string](db.CacheEntry, remembering)
		r := cache.ReadByHand(db.CacheEntry.CacheBackend())
		remember(t, mine, "k")
		must(t, r.Begin(ctx))
		must(t, r.Read(ctx))
		invalidator, id := db.CacheEntry.CacheBackend().Invalidator(), r.Last()
		for i := range 80 {
			id += 2
			foreign(t, p, db, id, "k")
			epoch := invalidator.Epoch(cache.Hash("k"))
			must(t, r.Read(ctx))
			if now := invalidator.Epoch(cache.Hash("k")); now != epoch+1 {
				t.Fatalf("%d changes were read at the look number %d, one was made", now-epoch, i)
			}
			if r.Last() != id {
				t.Fatalf("read up to %d of %d", r.Last(), id)
			}
			if r.Gaps() > 62 {
				t.Fatalf("%d gaps are waited for: two come in a second, and each for 30 s", r.Gaps())
			}
			p.clock.add(500 * time.Millisecond)
		}
	})
}

// A transaction that is undone takes no id from the sequence of changes.
func TestUndoneTransactionsLeaveNoGap(t *testing.T) {
	onEach(t, func(t *testing.T, p place) {
		ctx := t.Context()
		db, otherDB := p.open(t), p.open(t)
		other := cache.New[string](otherDB.CacheEntry, plain)
		r := cache.ReadByHand(db.CacheEntry.CacheBackend())
		must(t, r.Begin(ctx))
		undone := errors.New("undone")
		for i := range 20 {
			err := otherDB.Tx(ctx, func(tx *generated.Tx) error {
				in := other.In(tx.CacheEntry)
				must(t, in.Set(ctx, "k", "v", 0))
				must(t, in.Delete(ctx, "k"))
				return undone
			})
			if !errors.Is(err, undone) {
				t.Fatal(err)
			}
			must(t, other.Set(ctx, fmt.Sprint(i), "v", 0))
		}
		must(t, r.Read(ctx))
		if r.Gaps() != 0 || r.Last() != 20 {
			t.Errorf("%d gaps before %d", r.Gaps(), r.Last())
		}
	})
}

// What other processes changed may have been removed unread when nothing was read
// for long: all is forgotten.
func TestNothingReadForLong(t *testing.T) {
	onEach(t, func(t *testing.T, p place) {
		ctx := t.Context()
		db := p.open(t)
		mine := cache.New[string](db.CacheEntry, remembering)
		r := cache.ReadByHand(db.CacheEntry.CacheBackend())
		must(t, r.Begin(ctx))
		remember(t, mine, "k")
		p.clock.add(2 * time.Minute)
		must(t, r.Read(ctx))
		wantMemory(t, mine, "k", true)
		p.clock.add(3 * time.Minute)
		must(t, r.Read(ctx))
		wantMemory(t, mine, "k", false)
		wantMemory(t, mine, "k", true)
		r.SetWall(3 * time.Minute) // the machine slept: only the wall clock went on
		must(t, r.Read(ctx))
		wantMemory(t, mine, "k", false)
	})
}

// Transactions that run when a process starts are waited for, although a later id
// is there already.
func TestChangesThatRunAtTheStart(t *testing.T) {
	onEach(t, func(t *testing.T, p place) {
		for _, last := range []int64{1_000_000, 2_000_000} {
			begun := last == 2_000_000 // there are changes already
			t.Run(fmt.Sprint(begun), func(t *testing.T) {
				ctx := t.Context()
				db := p.open(t)
				_, err := db.Store().Conn().Exec(ctx, "DELETE FROM cache_entry_changes", nil)
				must(t, err)
				mine := cache.New[string](db.CacheEntry, remembering)
				r := cache.ReadByHand(db.CacheEntry.CacheBackend())
				if begun {
					foreign(t, p, db, last, "x")
					must(t, r.Begin(ctx))
				} else {
					must(t, r.Begin(ctx))
					foreign(t, p, db, last, "x")
				}
				epoch := db.CacheEntry.CacheBackend().Invalidator().Epoch(cache.Hash("x"))
				must(t, r.Read(ctx))
				if now := db.CacheEntry.CacheBackend().Invalidator().Epoch(cache.Hash("x")); begun && now != epoch {
					t.Error("what was there before the start was read as news")
				}
				must(t, mine.Set(ctx, "k", "v", 0))
				wantMemory(t, mine, "k", true)
				foreign(t, p, db, last-3, "k")
				p.clock.add(time.Second)
				must(t, r.Read(ctx))
				wantMemory(t, mine, "k", false)
				if r.Gaps() > 100 {
					t.Errorf("%d gaps are waited for", r.Gaps())
				}
			})
		}
	})
}

// overtaken is a table in which something happens between the reading of an entry
// and its arrival.
type overtaken struct {
	cache.Backend
	meanwhile func()
}

func (o *overtaken) CacheBackend() cache.Backend { return o }

func (o *overtaken) Find(ctx context.Context, key string) (cache.Entry, error) {
	e, err := o.Backend.Find(ctx, key)
	o.meanwhile()
	return e, err
}

func (o *overtaken) FindMany(ctx context.Context, keys []string, each func(string, cache.Entry)) error {
	return o.Backend.FindMany(ctx, keys, func(key string, e cache.Entry) {
		o.meanwhile()
		each(key, e)
	})
}

// What is read before a change and arrives after it does not stay in memory.
func TestChangeWhileAnEntryIsRead(t *testing.T) {
	p := place{kind: "sqlite", dsn: "sqlite::memory:", clock: newClock()}
	ctx := t.Context()
	db := p.open(t)
	source := &overtaken{Backend: db.CacheEntry.CacheBackend(), meanwhile: func() {}}
	texts := cache.New[string](source, remembering)
	must(t, cache.New[string](db.CacheEntry, plain).Set(ctx, "k", "v", 0))
	for _, meanwhile := range []struct {
		name   string
		change func()
		stays  bool
	}{
		{"nothing", func() {}, true},
		{"the same entry", func() { source.Invalidator().Forget([]uint64{cache.Hash("k")}) }, false},
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
				t.Run(name, func(t *testing.T) { wantMemory(t, texts, "k", meanwhile.stays) })
			}
		})
	}
}

// A write is kept in memory when it has been committed, unless another one was
// committed since it began.
func TestCommitKeepsTheLastWrite(t *testing.T) {
	p := place{kind: "sqlite", dsn: "sqlite::memory:", clock: newClock()}
	db := p.open(t)
	invalidator := db.CacheEntry.CacheBackend().Invalidator()
	texts := cache.New[string](db.CacheEntry, remembering)
	must(t, texts.Set(t.Context(), "k", "v", 0))
	forget := func() { invalidator.Forget([]uint64{cache.Hash("k")}) }
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
			w := &cache.Write{Key: "k", Keep: func() {
				kept = true
				test.during()
				texts.Get(t.Context(), "k") // an older reading, put into memory
			}}
			invalidator.Begin([]*cache.Write{w})
			test.before()
			invalidator.Commit([]*cache.Write{w})
			if kept != test.kept {
				t.Errorf("kept: %v, want %v", kept, test.kept)
			}
			wantMemory(t, texts, "k", test.stays)
		})
	}
}
