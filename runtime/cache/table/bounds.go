package table

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// bounds hold a table to its numbers of entries and bytes. What is there is
// counted now and then, which reads the whole table, and estimated in between
// from what this process writes and removes; a value that replaces another
// counts as one more until the next count.
//
// Beyond a bound, what was used least recently is removed in the background, to
// nine tenths of the bound: when a twentieth of the bound was written since the
// last count, or soon after the last write. A writer that would bring the table
// to more than eleven tenths waits for it.
type bounds struct {
	t    *table
	most tally // 0: no bound

	one sync.Mutex // held while hold runs

	mu      sync.Mutex
	counted bool
	size    tally         // the estimate; meaningless before the first count
	changed tally         // what this process has added, less what it removed
	written tally         // what it has written since the last count
	recount tally         // how much may be written before the next count
	took    time.Duration // by the last count
	running bool          // relieve runs
	waiting int           // writers that wait for it
	moved   chan struct{} // closed when one of these has changed so that others should look
}

// tally is a number of entries and their bytes.
type tally struct{ entries, bytes int64 }

func (a tally) plus(b tally) tally  { return tally{a.entries + b.entries, a.bytes + b.bytes} }
func (a tally) minus(b tally) tally { return tally{a.entries - b.entries, a.bytes - b.bytes} }

// part is so many percent of a.
func (a tally) part(percent int64) tally {
	return tally{a.entries/100*percent + a.entries%100*percent/100, a.bytes/100*percent + a.bytes%100*percent/100}
}

// beyond reports whether a is over a bound.
func (a tally) beyond(most tally) bool {
	return most.entries > 0 && a.entries > most.entries || most.bytes > 0 && a.bytes > most.bytes
}

func atLeastOne(a tally) tally { return tally{max(a.entries, 1), max(a.bytes, 1)} }

const (
	boundLow   = 90  // percent of a bound that eviction leaves
	boundHigh  = 110 // percent beyond which a writer waits
	boundSlack = 5   // percent that a process may write before it counts again
	boundShare = 8   // and the share of what is left to the bound: other processes write too

	relieveFor   = time.Minute // one hold
	relieveCalm  = time.Second // before a count that no number of writes asks for
	relieveEase  = 20          // and so many times as long as the last count took
	relievePause = time.Second // after a failure
	relieveTries = 30          // failures, one after the other
)

func (b *bounds) init(t *table) {
	b.t = t
	b.most = tally{t.spec.MaxEntries, t.spec.MaxBytes}
	b.recount = atLeastOne(b.most.part(boundSlack))
	b.moved = make(chan struct{})
}

func (b *bounds) none() bool { return b.most == tally{} }

// over reports whether the table is beyond a bound by estimate.
func (b *bounds) over() bool { return b.counted && b.size.beyond(b.most) }

// vague reports whether so much was written that the estimate may be wrong.
func (b *bounds) vague() bool {
	return b.most.entries > 0 && b.written.entries >= b.recount.entries || b.most.bytes > 0 && b.written.bytes >= b.recount.bytes
}

// grown notes what was written or removed, and starts relieve when there is a
// reason to.
func (b *bounds) grown(by tally) {
	if b.none() {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.size, b.changed = b.size.plus(by), b.changed.plus(by)
	if by.entries > 0 {
		b.written = b.written.plus(by)
	}
	if by.entries < 0 || b.vague() {
		b.wake()
	}
	if (b.over() || b.vague()) && !b.running {
		b.running = true
		go b.relieve()
	}
}

// wake lets those who wait look again.
func (b *bounds) wake() {
	close(b.moved)
	b.moved = make(chan struct{})
}

// relieve holds the table to its bounds until it is within them.
func (b *bounds) relieve() {
	for failures := 0; ; {
		b.calm()
		ctx, cancel := context.WithTimeout(context.Background(), relieveFor)
		_, err := b.hold(ctx)
		cancel()
		if err == nil {
			failures = 0
		} else {
			failures++
		}
		if b.relieved(errors.Is(err, store.ErrClosed) || failures == relieveTries) {
			return
		}
		if err != nil {
			time.Sleep(relievePause)
		}
	}
}

// calm waits as long as nothing is urgent, since a count reads the whole table:
// where values only replace others, the estimate is over the bound soon after
// each count.
func (b *bounds) calm() {
	b.mu.Lock()
	timer := time.NewTimer(max(relieveCalm, relieveEase*b.took))
	b.mu.Unlock()
	defer timer.Stop()
	for {
		b.mu.Lock()
		urgent, moved := b.vague() || b.waiting > 0, b.moved
		b.mu.Unlock()
		if urgent {
			return
		}
		select {
		case <-moved:
		case <-timer.C:
			return
		}
	}
}

// relieved ends relieve when it has nothing to do, or has given up; the next
// write starts it again.
func (b *bounds) relieved(givenUp bool) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if (b.over() || b.vague()) && !givenUp {
		return false
	}
	b.running = false
	b.wake()
	return true
}

// wait returns when so much more would not bring the table to more than eleven
// tenths of its bounds, or when nothing removes entries any more.
func (b *bounds) wait(ctx context.Context, more tally) {
	if b.none() {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.running || b.fits(more) {
		return
	}
	if b.waiting++; b.waiting == 1 {
		b.wake() // relieve does not wait any longer
	}
	for b.running && !b.fits(more) && ctx.Err() == nil {
		moved := b.moved
		b.mu.Unlock()
		select {
		case <-moved:
		case <-ctx.Done():
		}
		b.mu.Lock()
	}
	b.waiting--
}

// fits reports whether so much more would leave the table within eleven tenths of
// its bounds, or cannot. As long as nothing is known of the table, a tenth may be
// written.
func (b *bounds) fits(more tally) bool {
	if !b.counted {
		return !b.written.plus(more).beyond(atLeastOne(b.most.part(boundHigh - 100)))
	}
	return !b.size.plus(more).beyond(b.most.part(boundHigh)) || !b.size.beyond(b.most.part(boundLow))
}

// hold counts, and removes what was used least recently until the table is at
// nine tenths of its bounds.
func (b *bounds) hold(ctx context.Context) (removed int64, err error) {
	if b.none() {
		return 0, nil
	}
	b.one.Lock()
	defer b.one.Unlock()
	if err := b.t.shared.invalidator.Hits.Flush(ctx); err != nil {
		return 0, err
	}
	size, err := b.count(ctx)
	if err != nil || !size.beyond(b.most) {
		return 0, err
	}
	defer func() { b.t.shared.invalidator.Gone(0, removed) }()
	for low := b.most.part(boundLow); size.beyond(low); {
		gone, err := b.evict(ctx, b.batch(size, low))
		removed += gone.entries
		size = size.minus(gone)
		if err != nil || gone.entries == 0 {
			return removed, err
		}
	}
	return removed, nil
}

// count asks the table for its size. What is written meanwhile is added, although
// it may have been counted: the estimate is rather too high than too low.
func (b *bounds) count(ctx context.Context) (size tally, err error) {
	b.mu.Lock()
	before := b.changed
	b.mu.Unlock()
	start := time.Now()
	size.entries, size.bytes, err = b.t.Size(ctx)
	if err != nil {
		return size, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	since := b.changed.minus(before)
	b.took = time.Since(start)
	b.counted, b.size, b.written = true, size.plus(tally{max(since.entries, 0), max(since.bytes, 0)}), tally{}
	left, slack := b.most.minus(size), atLeastOne(b.most.part(boundSlack))
	b.recount = tally{max(slack.entries, left.entries/boundShare), max(slack.bytes, left.bytes/boundShare)}
	b.wake()
	return size, nil
}

// batch is how many entries to remove next, on the way from size to low.
func (b *bounds) batch(size, low tally) int {
	n := int64(1)
	if low.entries > 0 {
		n = max(n, size.entries-low.entries)
	}
	if over := size.bytes - low.bytes; low.bytes > 0 && over > 0 {
		n = max(n, over/max(size.bytes/max(size.entries, 1), 1)) // of the average size
	}
	return int(min(n, dropBatch))
}

// evict removes the n entries that were used least recently.
func (b *bounds) evict(ctx context.Context, n int) (gone tally, err error) {
	err = b.t.c.InTx(ctx, func(c *core.Conn) (err error) {
		gone, _, err = b.t.in(c).dropOnce(ctx, &b.t.spec.DropUnused, n, func([]any) {})
		return err
	})
	return gone, err
}
