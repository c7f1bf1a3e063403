package table_test

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/hegner123/modulagen/generated"
	"github.com/hegner123/modulagen/internal/cachefixture"
	"github.com/hegner123/modulagen/runtime/cache"
	"github.com/hegner123/modulagen/runtime/cache/backend"
	"github.com/hegner123/modulagen/runtime/cache/table"
)

// foreign appends a change of another process under an id of the test's choice.
func foreign(t *testing.T, p cachefixture.Place, db *generated.DB, id int64, keys ...string) {
	t.Helper()
	var packed []byte
	for _, key := range keys {
		packed = binary.LittleEndian.AppendUint64(packed, backend.Hash(key))
	}
	hashes := "X'" + hex.EncodeToString(packed) + "'"
	if p.Kind == "postgres" {
		hashes = "decode('" + hex.EncodeToString(packed) + "', 'hex')"
	}
	_, err := db.Store().Conn().Exec(t.Context(), fmt.Sprintf("INSERT INTO cache_entry_changes (id, origin, hashes) VALUES (%d, 7, %s)", id, hashes), nil)
	cachefixture.Must(t, err)
}

// Ids are given in one order and committed in another: a row that comes late is
// waited for, for as long as is stated, and so is each of several.
func TestChangesThatCommitLate(t *testing.T) {
	cachefixture.OnEach(t, func(t *testing.T, p cachefixture.Place) {
		ctx := t.Context()
		db := p.Open(t)
		mine := cache.New[string](db.CacheEntry, cachefixture.Remembering)
		r := table.ReadByHand(db.CacheEntry.CacheBackend())
		cachefixture.Must(t, r.Begin(ctx))
		cachefixture.Remember(t, mine, "early", "soon", "late", "too late", "other")
		cachefixture.Must(t, r.Read(ctx))
		cachefixture.WantMemory(t, mine, "early", true) // what it has changed itself
		first := r.Last()
		foreign(t, p, db, first+5, "early")
		cachefixture.Must(t, r.Read(ctx))
		cachefixture.WantMemory(t, mine, "early", false)
		cachefixture.WantMemory(t, mine, "soon", true)
		if r.Gaps() != 4 || r.Last() != first+5 {
			t.Fatalf("%d gaps before %d", r.Gaps(), r.Last())
		}
		foreign(t, p, db, first+2, "soon")
		p.Clock.Add(10 * time.Millisecond)
		cachefixture.Must(t, r.Read(ctx))
		cachefixture.WantMemory(t, mine, "soon", false)
		for range 28 {
			p.Clock.Add(time.Second)
			cachefixture.Must(t, r.Read(ctx))
		}
		foreign(t, p, db, first+3, "late")
		p.Clock.Add(time.Second)
		cachefixture.Must(t, r.Read(ctx))
		cachefixture.WantMemory(t, mine, "late", false)
		if r.Gaps() != 2 {
			t.Errorf("%d gaps, want 2", r.Gaps())
		}
		p.Clock.Add(2 * time.Second)
		cachefixture.Must(t, r.Read(ctx))
		if r.Gaps() != 0 {
			t.Errorf("%d gaps are waited for after 31 s", r.Gaps())
		}
		cachefixture.WantMemory(t, mine, "other", true)
	})
}

// Gaps that come faster than one is given up do not add up, and keep nothing from
// being read once.
func TestManyGaps(t *testing.T) {
	cachefixture.OnEach(t, func(t *testing.T, p cachefixture.Place) {
		ctx := t.Context()
		db := p.Open(t)
		mine := cache.New[string](db.CacheEntry, cachefixture.Remembering)
		r := table.ReadByHand(db.CacheEntry.CacheBackend())
		cachefixture.Remember(t, mine, "k")
		cachefixture.Must(t, r.Begin(ctx))
		cachefixture.Must(t, r.Read(ctx))
		invalidator, id := db.CacheEntry.CacheBackend().Invalidator(), r.Last()
		for i := range 80 {
			id += 2
			foreign(t, p, db, id, "k")
			epoch := invalidator.Epoch(backend.Hash("k"))
			cachefixture.Must(t, r.Read(ctx))
			if now := invalidator.Epoch(backend.Hash("k")); now != epoch+1 {
				t.Fatalf("%d changes were read at the look number %d, one was made", now-epoch, i)
			}
			if r.Last() != id {
				t.Fatalf("read up to %d of %d", r.Last(), id)
			}
			if r.Gaps() > 62 {
				t.Fatalf("%d gaps are waited for: two come in a second, and each for 30 s", r.Gaps())
			}
			p.Clock.Add(500 * time.Millisecond)
		}
	})
}

// A transaction that is undone takes no id from the sequence of changes.
func TestUndoneTransactionsLeaveNoGap(t *testing.T) {
	cachefixture.OnEach(t, func(t *testing.T, p cachefixture.Place) {
		ctx := t.Context()
		db, otherDB := p.Open(t), p.Open(t)
		other := cache.New[string](otherDB.CacheEntry, cachefixture.Plain)
		r := table.ReadByHand(db.CacheEntry.CacheBackend())
		cachefixture.Must(t, r.Begin(ctx))
		undone := errors.New("undone")
		for i := range 20 {
			err := otherDB.Tx(ctx, func(tx *generated.Tx) error {
				in := other.In(tx.CacheEntry)
				cachefixture.Must(t, in.Set(ctx, "k", "v", 0))
				cachefixture.Must(t, in.Delete(ctx, "k"))
				return undone
			})
			if !errors.Is(err, undone) {
				t.Fatal(err)
			}
			cachefixture.Must(t, other.Set(ctx, fmt.Sprint(i), "v", 0))
		}
		cachefixture.Must(t, r.Read(ctx))
		if r.Gaps() != 0 || r.Last() != 20 {
			t.Errorf("%d gaps before %d", r.Gaps(), r.Last())
		}
	})
}

// What other processes changed may have been removed unread when nothing was read
// for long: all is forgotten.
func TestNothingReadForLong(t *testing.T) {
	cachefixture.OnEach(t, func(t *testing.T, p cachefixture.Place) {
		ctx := t.Context()
		db := p.Open(t)
		mine := cache.New[string](db.CacheEntry, cachefixture.Remembering)
		r := table.ReadByHand(db.CacheEntry.CacheBackend())
		cachefixture.Must(t, r.Begin(ctx))
		cachefixture.Remember(t, mine, "k")
		p.Clock.Add(2 * time.Minute)
		cachefixture.Must(t, r.Read(ctx))
		cachefixture.WantMemory(t, mine, "k", true)
		p.Clock.Add(3 * time.Minute)
		cachefixture.Must(t, r.Read(ctx))
		cachefixture.WantMemory(t, mine, "k", false)
		cachefixture.WantMemory(t, mine, "k", true)
		r.SetWall(3 * time.Minute) // the machine slept: only the wall clock went on
		cachefixture.Must(t, r.Read(ctx))
		cachefixture.WantMemory(t, mine, "k", false)
	})
}

// Transactions that run when a process starts are waited for, although a later id
// is there already.
func TestChangesThatRunAtTheStart(t *testing.T) {
	cachefixture.OnEach(t, func(t *testing.T, p cachefixture.Place) {
		for _, last := range []int64{1_000_000, 2_000_000} {
			begun := last == 2_000_000 // there are changes already
			t.Run(fmt.Sprint(begun), func(t *testing.T) {
				ctx := t.Context()
				db := p.Open(t)
				_, err := db.Store().Conn().Exec(ctx, "DELETE FROM cache_entry_changes", nil)
				cachefixture.Must(t, err)
				mine := cache.New[string](db.CacheEntry, cachefixture.Remembering)
				r := table.ReadByHand(db.CacheEntry.CacheBackend())
				if begun {
					foreign(t, p, db, last, "x")
					cachefixture.Must(t, r.Begin(ctx))
				} else {
					cachefixture.Must(t, r.Begin(ctx))
					foreign(t, p, db, last, "x")
				}
				epoch := db.CacheEntry.CacheBackend().Invalidator().Epoch(backend.Hash("x"))
				cachefixture.Must(t, r.Read(ctx))
				if now := db.CacheEntry.CacheBackend().Invalidator().Epoch(backend.Hash("x")); begun && now != epoch {
					t.Error("what was there before the start was read as news")
				}
				cachefixture.Must(t, mine.Set(ctx, "k", "v", 0))
				cachefixture.WantMemory(t, mine, "k", true)
				foreign(t, p, db, last-3, "k")
				p.Clock.Add(time.Second)
				cachefixture.Must(t, r.Read(ctx))
				cachefixture.WantMemory(t, mine, "k", false)
				if r.Gaps() > 100 {
					t.Errorf("%d gaps are waited for", r.Gaps())
				}
			})
		}
	})
}
