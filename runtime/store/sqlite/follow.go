package sqlite

import (
	"context"
	"sync/atomic"
	"time"
)

// followEvery is how often the file is looked at for what others have written,
// and followQuiet how often when no one has written for quietLooks. A look reads
// the shared index of the WAL, no disk, for some microseconds; to be woken for it
// costs the process more.
const (
	followEvery = 5 * time.Millisecond
	followQuiet = 15 * time.Millisecond
	quietLooks  = 200
)

// Watch looks for commits of other connections to the file: of other processes,
// and of other databases of this process that are open on it. It does not know
// what they wrote, so that all are woken.
//
// A connection of its own looks, which takes this process's writes for foreign
// ones too. Where it sees a change, the connection that made those is asked,
// which knows: at once while no one writes, else when it is given back.
func (b *backend) Watch(ctx context.Context, _ func(topic string), all func()) {
	if b.cfg.memory {
		return
	}
	f := follower{b: b, all: all}
	defer f.close()
	f.start(ctx)
	all()
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		f.look(ctx)
		switch f.quiet {
		case 0:
			tick.Reset(followEvery)
		case quietLooks:
			tick.Reset(followQuiet)
		}
	}
}

// follower is what Watch works with.
type follower struct {
	b     *backend
	all   func()
	c     *conn // nil while it cannot be opened
	seen  int64 // the data version of c
	waits int   // looks since the writer was asked
	quiet int   // looks since anything was written
}

// start remembers how things stand.
func (f *follower) start(ctx context.Context) {
	f.now(ctx)
	f.ask()
	f.b.foreign.seen.Store(false)
}

func (f *follower) ask() {
	f.b.foreign.asked.Store(true)
	f.b.askIdleWriter()
}

// now looks at the file, and says whether it is another than before.
func (f *follower) now(ctx context.Context) (changed bool) {
	var err error
	if f.c == nil {
		if f.c, err = f.b.openReader(ctx); err != nil {
			f.c = nil
			return true // blind: as if something had changed
		}
	}
	now, err := f.c.dataVersion()
	if err != nil {
		f.close()
		return true
	}
	changed = now != f.seen
	f.seen = now
	return changed
}

// look wakes all when others have written since the last look.
func (f *follower) look(ctx context.Context) {
	foreign := &f.b.foreign
	if !foreign.asked.Load() { // the last question was answered
		f.waits = 0
	}
	if f.quiet++; f.now(ctx) {
		f.quiet = 0
		f.ask()
	}
	if foreign.asked.Load() {
		f.waits++
	}
	if foreign.seen.Swap(false) || f.waits > maxWaits {
		foreign.asked.Store(false)
		f.waits = 0
		f.all()
	}
}

func (f *follower) close() {
	if f.c != nil {
		f.c.close()
		f.c = nil
	}
}

// maxWaits is how many looks a change may wait for the answer of a writer that
// is in a long transaction; then all are woken, in vain perhaps.
const maxWaits = 2

// foreign is what the writing connection knows of commits by others.
type foreign struct {
	asked   atomic.Bool // to be looked at when the writer is given back
	seen    atomic.Bool // there were commits
	version int64       // of the writer, which has it
}

// answer is called with the writer in hand.
func (f *foreign) answer(c *conn) {
	if !f.asked.Load() || !f.asked.Swap(false) { // before the look: who asks after it has another
		return
	}
	now, err := c.dataVersion()
	if err != nil || now != f.version {
		f.version = now
		f.seen.Store(true)
	}
}

// dataVersion returns a number that changes with commits of other connections.
func (c *conn) dataVersion() (int64, error) {
	var n int64
	s, err := c.prepare(context.Background(), "PRAGMA data_version")
	if err != nil {
		return 0, err
	}
	err = c.queryRow(context.Background(), s, nil, []any{&n})
	return n, err
}

// askIdleWriter has the writer answer if no one writes.
func (b *backend) askIdleWriter() {
	if c := b.writer.tryTake(); c != nil {
		b.giveWriter(c)
	}
}
