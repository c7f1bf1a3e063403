package engine

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/hegner123/modulagen/runtime/queue/protocol"
	"github.com/hegner123/modulagen/runtime/store/core"

	"github.com/hegner123/modulagen/runtime/store"
)

// faultWait is how long a fetcher waits at most after an error of the database.
const faultWait = time.Second

// skippedWait is how long a fetcher waits at first for rows that its claim skipped. It waits twice as
// long each time, and faultWait at most.
const skippedWait = 10 * time.Millisecond

// claimGrace is how long a claim may go on after its context has ended. A stop that cut it off
// might not learn which rows it took: they would wait until their leases end.
const claimGrace = time.Second

// fetcher claims rows for the local queues.
type fetcher struct {
	*table
	lease, poll time.Duration
	claims      *claimSet
	limiter     *limiter
	observer    *observer
	completer   completer                     // for CompleteTx of its claims
	beginner    *beginner                     // for their BeginOnce
	full        func() bool                   // reports whether too many ends wait to be written
	start       func(q *localQueue, c *claim) // starts to run claims of a local queue, beginning with c

	waiting atomic.Int32 // how many runs sleep until the next row is due
}

// run claims rows for one local queue until ctx ends. It waits while the queue is
// full and, when the table has fewer rows than fit, until it is woken.
func (f *fetcher) run(ctx context.Context, q *localQueue) {
	news := f.db.Listen(f.shape.name)
	defer news.Stop()
	woken := true // rows may be due, and nothing may wake it for them again
	again := skippedWait
	for ctx.Err() == nil {
		n := q.wanted()
		if n == 0 || f.full() {
			sleep(ctx, q.freed, f.poll)
			continue
		}
		claims, met, err := f.claim(ctx, q, n)
		if err != nil {
			if ctx.Err() == nil {
				f.observer.logger.Error("claim failed", "queue", f.shape.name, "error", err)
			}
			sleep(ctx, nil, min(f.poll, faultWait))
			continue
		}
		if len(claims) > 0 {
			q.measure(rowSize(claims))
		}
		f.begin(q, claims)
		if met > 0 {
			woken, again = true, skippedWait
		}
		if met == n { // behind rows that a limit rejected there may be others
			continue
		}
		wait := f.untilDue(ctx)
		if wait <= 0 {
			woken = true
			continue
		}
		if woken && f.skipped(ctx, q) {
			sleep(ctx, news.C, min(wait, f.poll, again))
			again = min(2*again, faultWait)
			continue
		}
		again = skippedWait
		f.waiting.Add(1)
		woken = sleep(ctx, news.C, min(wait, f.poll))
		f.waiting.Add(-1)
	}
}

// sleep waits until it is woken or ctx ends, for at most a time. It reports whether it was woken.
func sleep(ctx context.Context, wake <-chan struct{}, most time.Duration) (woken bool) {
	t := time.NewTimer(most)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	case <-wake:
		woken = true
	}
	return woken
}

// skipped reports whether there may be a due row that the claim did not find.
func (f *fetcher) skipped(ctx context.Context, q *localQueue) bool {
	left, err := f.findSkipped(ctx, q)
	if err != nil && ctx.Err() == nil {
		f.observer.logger.Error("rows that a claim may have skipped not read", "queue", f.shape.name, "error", err)
	}
	return left || err != nil
}

// findSkipped reports whether there is a due row that the claim did not find. On MySQL a locking read
// also locks, for a moment, rows that it passes and does not take, and a claim beside it skips them.
func (f *fetcher) findSkipped(ctx context.Context, q *localQueue) (bool, error) {
	st := &f.shape.st.Skipped
	if !st.Has(f.db.Conn()) {
		return false, nil
	}
	args := arguments(f.db, 0)
	args[protocol.ArgLimit], args[protocol.ArgName] = int64(1), q.name
	ids, err := f.ids(ctx, f.db.Conn(), st, args)
	return len(ids) > 0, err
}

// untilDue makes due rows claimable, and returns how long to wait for the next. It is
// not positive when there are rows to claim now.
func (f *fetcher) untilDue(ctx context.Context) time.Duration {
	due, ok, err := f.nextDue(ctx)
	switch {
	case err != nil:
		return min(f.poll, faultWait)
	case !ok:
		return f.poll
	}
	wait, err := f.until(ctx, due)
	switch {
	case err != nil:
		return min(f.poll, faultWait)
	case wait > 0:
		return wait
	}
	n, err := f.promote(ctx)
	if err != nil || n == 0 { // the database's clock is behind ours
		return min(f.poll, 10*time.Millisecond)
	}
	return 0
}

// until returns how long it is until a row is due. Where that is more than a moment it goes by the
// database's clock, which this process's may be behind.
func (f *fetcher) until(ctx context.Context, due time.Time) (time.Duration, error) {
	wait := due.Sub(f.db.Clock())
	if min(wait, f.poll) <= promoteEvery || f.db.LocalClock() {
		return wait, nil
	}
	now, err := f.db.Now(ctx)
	return due.Sub(now), err
}

// promoteMeanwhile makes due rows claimable, unless a run sleeps until the next one is due, and
// does it then.
func (f *fetcher) promoteMeanwhile(ctx context.Context) error {
	if f.waiting.Load() > 0 {
		return nil
	}
	_, err := f.promote(ctx)
	return err
}

func (f *fetcher) nextDue(ctx context.Context) (due time.Time, ok bool, err error) {
	args := arguments(f.db, 0)
	args[protocol.ArgLimit] = int64(1)
	rows, err := core.Many(ctx, f.db.Conn(), &f.shape.st.NextDue, args, func(at *store.Null[time.Time]) []any { return []any{at} })
	if err != nil || len(rows) == 0 {
		return due, false, err
	}
	return rows[0].V, true, nil
}

// begin starts as many claims as there are places; the rest wait in the local queue.
// One that was closed meanwhile starts none, and releases all.
func (f *fetcher) begin(q *localQueue, claims []*claim) {
	f.claims.add(claims)
	for _, c := range q.add(claims) {
		f.start(q, c)
	}
}

// claim claims up to n rows that are due, in order. met is how many it found,
// including those that a limit rejected.
func (f *fetcher) claim(ctx context.Context, q *localQueue, n int) (claims []*claim, met int, err error) {
	args := arguments(f.db, f.lease)
	args[protocol.ArgLimit], args[protocol.ArgName] = int64(n), q.name
	ctx, cancel := outliving(ctx, claimGrace)
	defer cancel()
	asked := time.Now()
	var rows []any
	var starts map[any]start
	switch {
	case f.limiter.limits():
		err = f.db.Tx(ctx, func(c *core.Conn) error {
			rows, met, starts, err = f.claimAdmitted(ctx, c, args)
			return err
		})
	case f.shape.st.Take.Has(f.db.Conn()): // a step of its own
		err = f.db.Tx(ctx, func(c *core.Conn) error {
			rows, err = f.claimRows(ctx, c, args)
			return err
		})
	default:
		rows, err = f.claimRows(ctx, f.db.Conn(), args)
	}
	if err != nil {
		return nil, 0, err
	}
	claims = make([]*claim, len(rows))
	for i, row := range f.shape.sorted(rows) {
		c := &claim{Claimed: f.shape.claimed(row), row: row, confirmed: asked}
		c.handle = f.shape.handle(c, f.completer, f.beginner)
		if s, ok := starts[row]; ok {
			f.limiter.counted(s.asked)
			c.start = &s
		}
		claims[i] = c
	}
	return claims, max(met, len(claims)), nil
}

// outliving returns a context that ends some time after ctx does.
func outliving(ctx context.Context, grace time.Duration) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		sleep(longer, nil, grace)
		cancel()
	})
	return longer, func() {
		stop()
		cancel()
	}
}

// claimAdmitted claims rows within a transaction, and returns those that the limits
// admit. met is how many it found, including those that were rejected.
func (f *fetcher) claimAdmitted(ctx context.Context, c *core.Conn, args []any) (admitted []any, met int, starts map[any]start, err error) {
	rows, err := f.claimRows(ctx, c, args)
	if err != nil {
		return nil, 0, nil, err
	}
	met = len(rows)
	admitted, starts, err = f.limiter.admit(ctx, c, f.shape.sorted(rows))
	return admitted, met, starts, err
}

// claimRows runs the claim and its effects.
func (f *fetcher) claimRows(ctx context.Context, c *core.Conn, args []any) (rows []any, err error) {
	err = f.changing(ctx, c, func(c *core.Conn) (ids []any, err error) {
		rows, err = f.claimedRows(ctx, c, args)
		if f.shape.rows != nil {
			for _, row := range rows {
				ids = append(ids, f.shape.claimed(row).ID)
			}
		}
		return ids, err
	})
	return rows, err
}

// claimedRows runs the claim. On MySQL, which cannot return the rows that it changed,
// it finds, takes and reads them; c is in a transaction there.
func (f *fetcher) claimedRows(ctx context.Context, c *core.Conn, args []any) ([]any, error) {
	st := f.shape.st
	if !st.Take.Has(c) {
		return f.shape.read(ctx, c, &st.Claim, args)
	}
	ids, err := f.ids(ctx, c, &st.Claim, args)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	args = many(args, ids)
	if _, err := core.Exec(ctx, c, &st.Take, args); err != nil {
		return nil, err
	}
	return f.shape.read(ctx, c, &st.Read, args)
}
