package cache

import (
	"context"
	"encoding/binary"
	"errors"
	"sync/atomic"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
)

// Processes tell each other what they changed through a table beside the cache's:
// a row for each transaction, with the hashes of its keys, written in it. On
// PostgreSQL and SQLite an announcement says that there is a new row; on MySQL,
// and where an announcement was lost, a look now and then finds it.

const (
	lookEvery = 100 * time.Millisecond // where announcements of others do not arrive, as on MySQL
	lookRare  = time.Second            // elsewhere
	tellKept  = 5 * time.Minute        // how long what was told stays
	tellMost  = 8192                   // hashes of one row
	hearMost  = 500                    // rows of one look
	hearRest  = 5 * time.Millisecond   // between two looks, however often it is woken
	gapKept   = 30 * time.Second       // how long a row is waited for that a later one came before
	hushEvery = 1024                   // rows that this process tells from one clearing to the next
)

// tellings counts what this process has told.
type tellings struct{ n atomic.Int64 }

func (t *table) topic() string { return "cache:" + t.spec.Name }

// tell writes what was changed, in the transaction that t is.
func (t *table) tell(ctx context.Context, hashes []uint64) error {
	for len(hashes) > 0 {
		n := min(len(hashes), tellMost)
		packed := make([]byte, 0, 8*n)
		for _, h := range hashes[:n] {
			packed = binary.LittleEndian.AppendUint64(packed, h)
		}
		hashes = hashes[n:]
		args := t.args()
		args[argOrigin], args[argHashes] = t.room.hub.Origin, packed
		if _, err := store.Exec(ctx, t.c, &t.spec.Tell, args); err != nil {
			return err
		}
		if t.room.told.n.Add(1)%hushEvery == 0 {
			t.c.AfterCommit(func() { go t.root().hush(context.Background()) })
		}
	}
	t.c.Announce(t.topic())
	return nil
}

// root is the table outside any transaction.
func (t *table) root() *table { return t.in(t.c.DB().Conn()) }

// hush removes what everyone has heard.
func (t *table) hush(ctx context.Context) error {
	for {
		args := t.args()
		spanInto(args, argLife, argGoneAt, -tellKept)
		args[argLimit] = int64(dropBatch)
		n, err := store.Exec(ctx, t.c, &t.spec.Hush, args)
		if err != nil || n < dropBatch {
			return err
		}
	}
}

// Follow begins to hear what other processes tell, and ends with the database.
func (t *table) Follow(ctx context.Context) error {
	root := t.root()
	ear := &ear{t: root, seen: map[int64]bool{}}
	listener := root.c.DB().Listen(t.topic())
	err := root.c.QueryRow(ctx, root.spec.Heard.Text[root.d], nil, []any{&ear.low})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		listener.Stop()
		return err
	}
	ear.heard = time.Now()
	go ear.run(listener)
	return nil
}

// ear hears what others tell. Ids are given in order and committed in another:
// what was heard is remembered from the first id on that may still come.
type ear struct {
	t     *table
	low   int64          // all up to here were heard, or will not come
	seen  map[int64]bool // those behind it that were
	gap   time.Time      // since when low+1 is waited for
	heard time.Time      // the last time that asking went well
}

func (e *ear) run(listener *store.Listener) {
	defer listener.Stop()
	every := lookRare
	if !e.t.c.DB().Hears() {
		every = lookEvery
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-listener.C:
		case <-tick.C:
		}
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		err := e.hear(ctx)
		cancel()
		if errors.Is(err, store.ErrClosed) {
			return
		}
		time.Sleep(hearRest)
	}
}

type telling struct {
	id, origin int64
	hashes     []byte
}

// hear reads what is new and forgets it.
func (e *ear) hear(ctx context.Context) error {
	if time.Since(e.heard) > tellKept/2 { // asleep, or cut off: something may be gone unheard
		e.t.room.hub.HeardAll()
	}
	for from := e.low; ; {
		args := make([]any, argCount)
		args[argID], args[argLimit] = from, int64(hearMost)
		rows, err := store.Many(ctx, e.t.c, &e.t.spec.Hear, args, func(r *telling) []any { return []any{&r.id, &r.origin, &r.hashes} })
		if err != nil {
			return err
		}
		for _, r := range rows {
			e.take(r)
			from = r.id
		}
		if len(rows) < hearMost {
			break
		}
	}
	e.heard = time.Now()
	e.advance()
	return nil
}

func (e *ear) take(r telling) {
	if e.seen[r.id] {
		return
	}
	e.seen[r.id] = true
	if r.origin == e.t.room.hub.Origin {
		return
	}
	if len(r.hashes) == 0 {
		e.t.room.hub.HeardAll()
		return
	}
	hashes := make([]uint64, 0, len(r.hashes)/8)
	for b := r.hashes; len(b) >= 8; b = b[8:] {
		hashes = append(hashes, binary.LittleEndian.Uint64(b))
	}
	e.t.room.hub.Heard(hashes)
}

// advance moves low behind what was heard. An id that does not come is given up
// after a while: its transaction was undone, or takes so long that what it
// changes is forgotten by age.
func (e *ear) advance() {
	for len(e.seen) > 0 {
		switch {
		case e.seen[e.low+1]:
			delete(e.seen, e.low+1)
		case e.gap.IsZero():
			e.gap = time.Now()
			return
		case time.Since(e.gap) < gapKept:
			return
		}
		e.gap = time.Time{}
		e.low++
	}
}
