package backend

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/hegner123/modulagen/runtime/cache/protocol"
)

// Forever is the life of an entry that does not expire.
const Forever = time.Duration(math.MaxInt64)

// ErrNotNumber is what Count returns of an entry that is no counter.
var ErrNotNumber = errors.New("cache: the entry is no whole number")

// Formats of entries that have no encoded value.
const (
	FormatLease = protocol.FormatLease // a load is running, and there is no value yet
	FormatNone  = protocol.FormatNone  // it is known that there is nothing
	FormatInt   = protocol.FormatInt   // a counter: its value is Number
)

// Entry is an entry as a backend finds it.
type Entry struct {
	Value  []byte
	Format string
	Number int64
	Life   time.Duration // until it is gone; Forever, or zero and less when it has expired
	Fresh  time.Duration // until it is stale; at most Life
	Clock  time.Time     // what the backend's clock said
}

// Write is an entry as a backend is to write it.
type Write struct {
	Key    string // in its stored form
	Tags   []string
	Value  []byte
	Format string
	Number int64
	Life   time.Duration // Forever: it does not expire
	Fresh  time.Duration // the same as Life: it is never stale
	Slack  time.Duration // it may end, and be stale, earlier by up to so much
	Token  int64         // not zero; of a Fill, the token of its lease
	Patch  any           // fields of the user's own; nil: none
	// Keep, if set, runs when the write has been committed and no later write
	// of the key is known: it may put the value into memory.
	Keep func()

	hash  uint64 // of Key, from Begin on
	epoch uint64
}

// Reseal returns the value of an entry in the form in which it is kept until
// another time.
type Reseal func(e *Entry) (value []byte, err error)

// KeyHits are the hits of an entry since the last flush.
type KeyHits struct {
	Key  string
	Hits int64
}

// Backend keeps entries. Keys and tags are in their stored form. Every change notifies
// the Invalidator of the keys that it concerned, when it is committed.
type Backend interface {
	// Invalidator is what the caches of one process on one table share.
	Invalidator() *Invalidator
	// InTx reports whether what is done is part of a transaction.
	InTx() bool
	// Limits of what it keeps.
	Limits() Limits
	// Now returns the moment by the clock that decides when entries end, within a
	// second or so.
	Now(ctx context.Context) (time.Time, error)

	// Find reads an entry, whatever its format and however long ago it expired;
	// store.ErrNotFound without one.
	Find(ctx context.Context, key string) (Entry, error)
	// FindMany calls each for every entry that is there.
	FindMany(ctx context.Context, keys []string, each func(key string, e Entry)) error
	// Put replaces entries: all, or none.
	Put(ctx context.Context, writes []*Write) error
	// Add writes an entry unless there is one that is no lease, not FormatNone
	// and not expired.
	Add(ctx context.Context, w *Write) (bool, error)
	// Count adds w.Number to a counter, or makes it; ErrNotNumber when the entry
	// is something else.
	Count(ctx context.Context, w *Write) (int64, error)
	Remove(ctx context.Context, keys []string) error
	// Touch lets an entry that has not expired expire at another time. With
	// reseal, which may run several times, it replaces the value by what that
	// makes of the entry, in one step.
	Touch(ctx context.Context, key string, life, fresh time.Duration, reseal Reseal) (bool, error)
	RemoveTags(ctx context.Context, tags []string) (int64, error)
	// RemoveRange removes entries with keys from one on to before another.
	RemoveRange(ctx context.Context, from, to string) (int64, error)
	Clear(ctx context.Context) (int64, error)
	// Expire removes what has expired.
	Expire(ctx context.Context) (int64, error)
	// Evict holds the table to its bounds; what was used least recently goes.
	Evict(ctx context.Context) (int64, error)
	// Size returns the number of entries and their bytes.
	Size(ctx context.Context) (entries, bytes int64, err error)
	// RecordHits adds to the hits of entries, and notes that they were used now.
	RecordHits(ctx context.Context, hits []KeyHits) error

	// Lease lets one load run: it takes the lease of w.Key under w.Token with
	// w.Tags for the time hold, and makes an entry of FormatLease where there is
	// none. It reports whether the lease was had, and whether the entry is new.
	Lease(ctx context.Context, w *Write, hold time.Duration) (had, fresh bool, err error)
	// RenewLease lets a lease hold for longer; false when it is lost.
	RenewLease(ctx context.Context, key string, token int64, hold time.Duration) (bool, error)
	// Fill writes what was loaded under a lease; false when the entry was
	// removed, written or leased to another meanwhile.
	Fill(ctx context.Context, w *Write) (bool, error)
	// ReleaseLease ends a lease without a value.
	ReleaseLease(ctx context.Context, key string, token int64) error
	// Follow brings the Invalidator what other processes change, until the backend
	// is closed; it returns when it does so from then on.
	Follow(ctx context.Context) error
}

// Limits of a backend. Zero is none.
type Limits struct {
	Name   string // of the table, for people
	Key    int    // characters of a stored key
	Tag    int    // characters of a stored tag
	Value  int    // bytes of an encoded value
	JSON   bool   // values must be JSON
	MaxAge time.Duration
	// Patch, if set, returns what is wrong with the Patch of a Write.
	Patch func(patch any) error
}
