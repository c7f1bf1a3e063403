package table

import (
	"context"
	"sync"
	"time"

	"github.com/hegner123/modulagen/runtime/cache/backend"
)

// combiner makes one write of those that come while another runs: a batch is one
// transaction, and costs little more than one entry.
type combiner struct {
	write func(ctx context.Context, writes []*backend.Write) error
	most  tally // of one batch

	mu      sync.Mutex
	waiting []*request
	running bool
}

// request is what one caller wants written.
type request struct {
	writes []*backend.Write
	done   chan error
}

const (
	combinedWrites = 512     // of one batch
	combinedBytes  = 8 << 20 // likewise
	combinedFor    = 30 * time.Second
)

// newCombiner returns a combiner for a table with these bounds, of which one
// batch is a small part.
func newCombiner(write func(context.Context, []*backend.Write) error, bounds tally) *combiner {
	most := tally{combinedWrites, combinedBytes}
	part := atLeastOne(bounds.part(boundSlack))
	if bounds.entries > 0 {
		most.entries = min(most.entries, part.entries)
	}
	if bounds.bytes > 0 {
		most.bytes = min(most.bytes, part.bytes)
	}
	return &combiner{write: write, most: most}
}

// do has writes written, together or not at all. When ctx ends first, they may be
// written all the same.
func (c *combiner) do(ctx context.Context, writes []*backend.Write) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	r := &request{writes: writes, done: make(chan error, 1)}
	c.mu.Lock()
	c.waiting = append(c.waiting, r)
	lead := !c.running
	c.running = true
	c.mu.Unlock()
	switch {
	case lead && ctx.Done() == nil:
		c.run(1)
	case lead: // a caller who may leave must not be held by the database
		go c.run(0)
	}
	select {
	case err := <-r.done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// run writes batches: so many, and leaves the others to a goroutine, so that no
// caller works for others for long; 0: until none waits.
func (c *combiner) run(most int) {
	for n := 1; ; n++ {
		batch := c.next()
		if batch == nil {
			return
		}
		c.runBatch(batch)
		if n == most {
			break
		}
	}
	c.mu.Lock()
	more := len(c.waiting) > 0
	c.running = more
	c.mu.Unlock()
	if more {
		go c.run(0)
	}
}

// next takes the requests of one batch; nil, and nothing runs any more, when
// there are none.
func (c *combiner) next() []*request {
	c.mu.Lock()
	defer c.mu.Unlock()
	var size tally
	n := 0
	for _, r := range c.waiting {
		size = size.plus(sizeOf(r.writes))
		if n > 0 && size.beyond(c.most) {
			break
		}
		n++
	}
	if n == 0 {
		c.running = false
		return nil
	}
	batch := c.waiting[:n:n]
	c.waiting = c.waiting[n:]
	return batch
}

// runBatch writes a batch. When it fails, its requests are written one by one,
// so that one that cannot be written stops no other.
func (c *combiner) runBatch(batch []*request) {
	ctx, cancel := context.WithTimeout(context.Background(), combinedFor)
	defer cancel()
	if len(batch) == 1 {
		batch[0].done <- c.write(ctx, batch[0].writes)
		return
	}
	var all []*backend.Write
	for _, r := range batch {
		all = append(all, r.writes...)
	}
	if c.write(ctx, all) == nil {
		for _, r := range batch {
			r.done <- nil
		}
		return
	}
	for _, r := range batch {
		r.done <- c.write(ctx, r.writes)
	}
}
