package core

import (
	"crypto/rand"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"
)

var ulids = struct {
	sync.Mutex
	source *ulid.MonotonicEntropy
	last   uint64
}{source: ulid.Monotonic(rand.Reader, 0)}

// NewULID returns a new id of 26 characters. Ids of one process grow, also within
// a millisecond and when the clock steps back. Safe for concurrent use.
func NewULID() string {
	ulids.Lock()
	defer ulids.Unlock()
	ulids.last = max(ulids.last, ulid.Timestamp(time.Now()))
	for {
		id, err := ulid.New(ulids.last, ulids.source)
		if err == nil {
			return id.String()
		}
		ulids.last++ // the 80 random bits ran over; the next millisecond has room
	}
}

// validULID reports whether an id could be a row's. Databases differ in what they
// make of others: PostgreSQL pads, and refuses what is too long.
func validULID(id string) bool {
	if len(id) != ulid.EncodedSize {
		return false
	}
	for i := range len(id) {
		if c := id[i]; (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return true
}
