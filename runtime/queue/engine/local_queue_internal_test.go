package engine

import (
	"context"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
)

// What is claimed ahead follows the time that handlers take: nothing while they
// are slow, so that other processes find work, and never more than a bound.
func TestLocalQueueClaimsAhead(t *testing.T) {
	q := newLocalQueue("", 4, 64<<20)
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
		q.measure(100)
		q.average = time.Microsecond
		q.add(make([]*claim, q.wanted()))
	}
	if n := len(q.buffer); n == 0 || n > maxPrefetch {
		t.Errorf("%d wait ahead of quick handlers, want some, at most %d", n, maxPrefetch)
	}
}

// A queue that is paused or closed begins nothing more, and close returns what
// has not begun, for others to run.
func TestLocalQueueStops(t *testing.T) {
	q := newLocalQueue("", 2, 64<<20)
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

// However quick the handlers are, rows take no more memory than ClaimBytes allows, and the
// rows of jobs that have ended are released before their ends are written.
func TestClaimBytesBoundsRows(t *testing.T) {
	for _, c := range []struct{ size, want int }{{1 << 10, maxPrefetch + 4}, {1 << 20, 8}, {3 << 20, 2}, {100 << 20, 1}} {
		q := newLocalQueue("", 4, 8<<20)
		q.average = time.Microsecond
		if n := q.wanted(); n > firstClaim {
			t.Errorf("%d are claimed before their size is known", n)
		}
		for range 30 {
			q.add(make([]*claim, q.wanted()))
			q.measure(int64(c.size))
		}
		q = &localQueue{limit: 4, bytes: q.bytes, size: q.size, average: time.Microsecond}
		for range 10 {
			q.add(make([]*claim, q.wanted()))
		}
		if n := len(q.buffer) + q.running; n > c.want || n < c.want*3/4 {
			t.Errorf("of %d bytes each %d are claimed, want %d at most", c.size, n, c.want)
		}
	}
	type named string
	sized := fresh(1)
	sized.row = &struct {
		Text   named
		Null   store.Null[string]
		JSON   store.JSON
		Number int64
	}{"four", store.Some("sixsix"), store.JSON("{}"), 1}
	if n := rowSize([]*claim{sized}); n != 4*fixedSize+4+6+2 {
		t.Errorf("a row is %d bytes", n)
	}
	ended := fresh(1)
	ended.row = "a large row"
	r := &recorder{}
	performing(t, r, Policy{}, func(_ context.Context, row any) error {
		if row != "a large row" {
			t.Errorf("the handler was called with %v", row)
		}
		return nil
	}).perform(ended)
	released := fresh(2)
	released.row = "another"
	s := &settler{buffer: newSettleBuffer()}
	if !s.release(released) {
		t.Error("not released")
	}
	if ended.row != nil || released.row != nil {
		t.Errorf("ends that wait to be written hold the rows %v and %v", ended.row, released.row)
	}
}
