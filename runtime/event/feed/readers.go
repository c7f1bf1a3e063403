package feed

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/hegner123/modulagen/runtime/store/core"
)

// freshFor is how long this process goes by what it knows of subscriptions. It
// bounds how late one that another process makes is seen.
const freshFor = time.Second

// readers is which topics have subscriptions, as far as this process knows: a write
// asks it, and costs nothing more while the answer is fresh.
type readers struct {
	spec    *Spec
	known   atomic.Pointer[knownReaders]
	forgets atomic.Int64 // how often forget was called
}

type knownReaders struct {
	topics map[string]bool
	at     time.Time // when reading them began
}

// readersKey is under which a database keeps its readers.
type readersKey struct{ spec *Spec }

func readersOf(db *core.DB, s *Spec) *readers {
	return db.Shared(readersKey{s}, func() any { return &readers{spec: s} }).(*readers)
}

// forget has the next write ask the database.
func (r *readers) forget() {
	r.forgets.Add(1)
	r.known.Store(nil)
}

// reads reports whether a topic has a subscription.
func (r *readers) reads(ctx context.Context, c *core.Conn, topic string) (bool, error) {
	known := r.known.Load()
	if known == nil || time.Since(known.at) > freshFor {
		var err error
		if known, err = r.load(ctx, c); err != nil {
			return false, err
		}
	}
	return known.topics[topic], nil
}

// load reads the topics of all subscriptions, as they are committed by now. No
// transaction of a program's writes them.
func (r *readers) load(ctx context.Context, c *core.Conn) (*knownReaders, error) {
	forgets := r.forgets.Load()
	known := &knownReaders{topics: map[string]bool{}, at: time.Now()}
	var topics string
	err := core.Each(ctx, c.Committed(ctx), &r.spec.Topics, args(c.DB()), []any{&topics}, func() error {
		for topic := range eachTopic(topics) {
			known.topics[topic] = true
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	r.known.Store(known)
	if r.forgets.Load() != forgets { // what was read may be older than what was forgotten
		r.known.Store(nil)
	}
	return known, nil
}
