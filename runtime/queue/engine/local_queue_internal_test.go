package engine

import (
	"testing"
	"time"
)

// What is claimed ahead follows the time that handlers take: nothing while they
// are slow, so that other processes find work, and never more than a bound.
func TestLocalQueueClaimsAhead(t *testing.T) {
	q := newLocalQueue("", 4)
	if n := q.wanted(); n != 4 {
		t.Errorf("before the first handler has ended %d are wanted, want one for each place", n)
	}
	began := q.add([]*claim{fresh(1), fresh(2), fresh(3), fresh(4), fresh(5)})
	if len(began) != 4 || len(q.buffer) != 1 {
		t.Fatalf("%d begin and %d wait", len(began), len(q.buffer))
	}
	if c := q.next(time.Second); c == nil || c.ID != int64(5) {
		t.Fatal("the one that waited does not follow the first that ends")
	}
	if n := q.wanted(); n != 0 {
		t.Errorf("%d are wanted ahead of slow handlers", n)
	}
	for range 100 {
		q.average = time.Microsecond
		q.add(make([]*claim, q.wanted()))
	}
	if n := len(q.buffer); n == 0 || n > 2*maxBatch {
		t.Errorf("%d wait ahead of quick handlers, want some, at most %d", n, 2*maxBatch)
	}
}

// A queue that is paused or closed begins nothing more, and close returns what
// has not begun, for others to run.
func TestLocalQueueStops(t *testing.T) {
	q := newLocalQueue("", 2)
	q.add([]*claim{fresh(1), fresh(2), fresh(3)})
	q.setPaused(true)
	if n := q.wanted(); n != 0 {
		t.Errorf("%d are wanted of a paused queue", n)
	}
	q.setPaused(false)
	<-q.freed // it wakes the fetcher
	if rest := q.close(); len(rest) != 1 || rest[0].ID != int64(3) {
		t.Errorf("close returns %d", len(rest))
	}
	if began := q.add([]*claim{fresh(4)}); len(began) != 0 || q.next(time.Second) != nil || q.wanted() != 0 {
		t.Error("a closed queue goes on")
	}
}
