package table

import (
	"context"
	"encoding/binary"
	"errors"
	"time"

	"github.com/hegner123/modulagen/runtime/cache/protocol"
	"github.com/hegner123/modulagen/runtime/store/core"

	"github.com/hegner123/modulagen/runtime/store"
)

// Processes notify each other of what they changed through a table beside the
// cache's: a row for each transaction, with the hashes of its keys, written in it as
// its last step. On PostgreSQL and SQLite an announcement says that there is a new
// row; on MySQL, and where an announcement was lost, a look now and then finds it.

const (
	lookEvery    = 100 * time.Millisecond // where announcements of others do not arrive, as on MySQL
	lookRare     = time.Second            // elsewhere
	changeKept   = 5 * time.Minute        // how long a change stays
	changeHashes = 8192                   // hashes of one row
	readMost     = 500                    // rows of one statement
	readRest     = 5 * time.Millisecond   // between two looks, however often it is woken
	readFirst    = 100                    // ids before the last one that may belong to transactions that run at the start
	pruneEvery   = 1024                   // changes that this process appends from one pruning to the next
)

func (t *table) topic() string { return "cache:" + t.spec.Name }

// appendChange has what was changed written as the last step of the transaction that t
// is: the row's id is then missing for others only while the transaction commits,
// and a transaction that is undone takes none.
func (t *table) appendChange(ctx context.Context, hashes []uint64) error {
	err := t.c.BeforeCommit(ctx, func(ctx context.Context) error { return t.appendNow(ctx, hashes) })
	if err == nil {
		t.c.Announce(t.topic())
	}
	return err
}

func (t *table) appendNow(ctx context.Context, hashes []uint64) error {
	for len(hashes) > 0 {
		n := min(len(hashes), changeHashes)
		packed := make([]byte, 0, 8*n)
		for _, h := range hashes[:n] {
			packed = binary.LittleEndian.AppendUint64(packed, h)
		}
		hashes = hashes[n:]
		args := t.args()
		args[protocol.ArgOrigin], args[protocol.ArgHashes] = t.shared.invalidator.Origin, packed
		if _, err := core.Exec(ctx, t.c, &t.spec.AppendChange, args); err != nil {
			return err
		}
		if t.shared.appended.Add(1)%pruneEvery == 0 {
			t.c.AfterCommit(func() { go t.root().pruneChanges(context.Background()) })
		}
	}
	return nil
}

// root is the table outside any transaction.
func (t *table) root() *table { return t.in(t.c.DB().Conn()) }

// pruneChanges deletes changes that every process has read.
func (t *table) pruneChanges(ctx context.Context) error {
	for {
		args := t.args()
		spanInto(args, protocol.ArgLife, protocol.ArgGoneAt, -changeKept)
		args[protocol.ArgLimit] = int64(dropBatch)
		n, err := core.Exec(ctx, t.c, &t.spec.PruneChanges, args)
		if err != nil || n < dropBatch {
			return err
		}
	}
}

// Follow begins to read what other processes change, and ends with the database.
// It reads on connections of its own: memory would be stale for as long as the
// program holds all others.
func (t *table) Follow(ctx context.Context) error {
	r := t.changeReader()
	r.t = r.t.in(r.t.c.DB().Changes(ctx).Conn())
	listener := r.t.c.DB().Listen(t.topic())
	if err := r.begin(ctx); err != nil {
		listener.Stop()
		return err
	}
	go r.run(listener)
	return nil
}

// changeReader reads the rows that processes append to the table of changes, and
// forgets what they name. Ids are given in one order and committed in another:
// ids that were passed over are gaps, which are looked for by themselves.
type changeReader struct {
	t      *table
	last   int64 // the greatest id that was read; below zero before the first
	gaps   gaps
	readAt int64     // when reading last went well, by the invalidator's clock, which stands still while the machine sleeps
	wall   time.Time // and by the wall clock, which may step
}

func (t *table) changeReader() *changeReader { return &changeReader{t: t.root(), last: -1} }

// begin finds where reading starts. What is there by now counts as read: nothing
// was kept in memory before it.
func (r *changeReader) begin(ctx context.Context) error {
	var last int64
	err := core.Row(ctx, r.t.c, &r.t.spec.LastChange, nil, []any{&last})
	switch {
	case err == nil:
		r.start(last)
		if err := r.readNew(ctx, func(change) {}); err != nil {
			return err
		}
	case !errors.Is(err, store.ErrNotFound):
		return err
	}
	r.noteRead()
	return nil
}

// start begins some ids before one: transactions that have taken those may not
// have committed yet.
func (r *changeReader) start(id int64) { r.last = max(0, id-readFirst) }

func (r *changeReader) noteRead() {
	r.readAt, r.wall = r.t.shared.invalidator.Clock(), r.t.c.DB().Clock()
}

// slept reports whether nothing was read for so long that rows may have been
// removed unread: the machine was asleep, or the database away.
func (r *changeReader) slept() bool {
	return time.Duration(r.t.shared.invalidator.Clock()-r.readAt) > changeKept/2 || r.t.c.DB().Clock().Sub(r.wall) > changeKept/2
}

func (r *changeReader) run(listener *core.Listener) {
	defer listener.Stop()
	every := lookRare
	if !r.t.c.DB().ReceivesNotifications() {
		every = lookEvery
	}
	timer := time.NewTimer(every)
	defer timer.Stop()
	for {
		select {
		case <-listener.C:
		case <-timer.C:
		}
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		err := r.read(ctx)
		cancel()
		switch {
		case errors.Is(err, store.ErrClosed):
			return
		case err != nil:
			timer.Reset(every)
		default:
			timer.Reset(r.gaps.wait(r.t.shared.invalidator.Clock(), every))
		}
		time.Sleep(readRest)
	}
}

// change is a row of the table of changes.
type change struct {
	id, origin int64
	hashes     []byte
}

func (c *change) columns() []any { return []any{&c.id, &c.origin, &c.hashes} }

// read reads what is new, looks for gaps that are due, and forgets what it finds.
func (r *changeReader) read(ctx context.Context) error {
	if r.slept() {
		r.t.shared.invalidator.ForgetAllRemote()
	}
	if err := r.readNew(ctx, r.take); err != nil {
		return err
	}
	if err := r.readMissing(ctx); err != nil {
		return err
	}
	r.noteRead()
	return nil
}

// readNew reads the rows behind the last one, and notes the ids that it passes
// over.
func (r *changeReader) readNew(ctx context.Context, take func(change)) error {
	for {
		args := make([]any, protocol.ArgCount)
		args[protocol.ArgID], args[protocol.ArgLimit] = r.last, int64(readMost)
		rows, err := core.Many(ctx, r.t.c, &r.t.spec.ReadChanges, args, (*change).columns)
		if err != nil {
			return err
		}
		now := r.t.shared.invalidator.Clock()
		for _, row := range rows {
			if r.last < 0 {
				r.start(row.id)
			}
			if row.id > r.last+1 {
				r.gaps.add(r.last+1, row.id-1, now)
			}
			r.last = row.id
			take(row)
		}
		if len(rows) < readMost {
			return nil
		}
	}
}

// readMissing looks for the gaps that are due.
func (r *changeReader) readMissing(ctx context.Context) error {
	now := r.t.shared.invalidator.Clock()
	for {
		ids := r.gaps.due(now, readMost)
		if len(ids) == 0 {
			return nil
		}
		found := map[int64]bool{}
		args := make([]any, protocol.ArgCount)
		args[protocol.ArgKeys] = core.ListOf(ids)
		var row change
		err := core.Each(ctx, r.t.c, &r.t.spec.MissingChanges, args, row.columns(), func() error {
			found[row.id] = true
			r.take(row)
			row.hashes = nil
			return nil
		})
		if err != nil {
			return err
		}
		r.gaps.looked(ids, found, now)
	}
}

// take forgets what another process has changed.
func (r *changeReader) take(row change) {
	invalidator := r.t.shared.invalidator
	if row.origin == invalidator.Origin {
		return
	}
	if len(row.hashes) == 0 {
		invalidator.ForgetAllRemote()
		return
	}
	hashes := make([]uint64, 0, len(row.hashes)/8)
	for b := row.hashes; len(b) >= 8; b = b[8:] {
		hashes = append(hashes, binary.LittleEndian.Uint64(b))
	}
	invalidator.ForgetRemote(hashes)
}
