package queue

import (
	"context"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
)

// fetch claims rows of one named queue until ctx ends. It waits for room, and
// when the table had less than there was room for, for news.
func (e *engine) fetch(ctx context.Context, l *localQueue) {
	news := e.db.Listen(e.shape.name)
	defer news.Stop()
	for ctx.Err() == nil {
		n := l.wanted()
		if n == 0 || e.settler.full() {
			sleep(ctx, l.freed, e.opts.Poll)
			continue
		}
		claims, met, err := e.claim(ctx, l, n)
		if err != nil {
			if ctx.Err() == nil {
				e.opts.Logger.Error("claim failed", "queue", e.shape.name, "error", err)
			}
			sleep(ctx, nil, e.opts.Poll)
			continue
		}
		e.begin(l, claims)
		if met == n { // behind those that a limit refused there may be others
			continue
		}
		if wait := e.untilDue(ctx); wait > 0 {
			sleep(ctx, news.C, min(wait, e.opts.Poll))
		}
	}
}

// sleep waits for news, at most so long.
func sleep(ctx context.Context, news <-chan struct{}, most time.Duration) {
	t := time.NewTimer(most)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	case <-news:
	}
}

// untilDue lets rows be claimed whose time has come, and gives how long to wait
// for the next; not positive when there are some to claim now.
func (e *engine) untilDue(ctx context.Context) time.Duration {
	due, ok, err := e.nextDue(ctx)
	if err != nil || !ok {
		return e.opts.Poll
	}
	now := e.db.Clock()
	if due.After(now) {
		return due.Sub(now)
	}
	n, err := e.promote(ctx)
	if err != nil || n == 0 { // the database's clock is behind ours
		return min(e.opts.Poll, 10*time.Millisecond)
	}
	return 0
}

func (e *engine) nextDue(ctx context.Context) (due time.Time, ok bool, err error) {
	args := arguments(e.db, 0)
	args[argLimit] = int64(1)
	rows, err := store.Many(ctx, e.db.Conn(), &e.shape.st.NextDue, args, func(at *store.Null[time.Time]) []any { return []any{at} })
	if err != nil || len(rows) == 0 {
		return due, false, err
	}
	return rows[0].V, true, nil
}

// begin runs what there is room for; the rest waits in the line. A line that
// was closed meanwhile runs nothing, and all is given back.
func (e *engine) begin(l *localQueue, claims []*claim) {
	e.track(claims)
	for _, c := range l.add(claims) {
		e.running.Add(1)
		go e.work(l, c)
	}
}

// claim takes up to n rows that are due, in order. met is how many there were,
// with those that a limit refused.
func (e *engine) claim(ctx context.Context, l *localQueue, n int) (claims []*claim, met int, err error) {
	args := arguments(e.db, e.opts.Lease)
	args[argLimit], args[argName] = int64(n), l.name
	asked := time.Now()
	var rows []any
	var starts map[any]start
	switch {
	case e.limited():
		err = e.db.Tx(ctx, func(c *store.Conn) error {
			rows, met, starts, err = e.claimAdmitted(ctx, c, args)
			return err
		})
	case e.db.Conn().Dialect() == mysqlDialect:
		err = e.db.Tx(ctx, func(c *store.Conn) error {
			rows, err = e.claimRows(ctx, c, args)
			return err
		})
	default:
		rows, err = e.claimRows(ctx, e.db.Conn(), args)
	}
	if err != nil {
		return nil, 0, err
	}
	claims = make([]*claim, len(rows))
	for i, row := range e.sorted(rows) {
		c := &claim{Claimed: e.shape.claimed(row), row: row, confirmed: asked}
		c.handle = &Claim{engine: e, claim: c}
		if s, ok := starts[row]; ok {
			e.counted(s.asked)
			c.start = &s
		}
		claims[i] = c
	}
	return claims, max(met, len(claims)), nil
}

// claimRows runs the claim and its effects.
func (e *engine) claimRows(ctx context.Context, c *store.Conn, args []any) (rows []any, err error) {
	err = e.changing(ctx, c, func(c *store.Conn) (ids []any, err error) {
		rows, err = e.claimedRows(ctx, c, args)
		if e.shape.rows != nil {
			for _, row := range rows {
				ids = append(ids, e.shape.claimed(row).ID)
			}
		}
		return ids, err
	})
	return rows, err
}

// claimedRows runs the claim. On MySQL, which cannot show what it changed, it
// finds, takes and reads the rows; c is a transaction then.
func (e *engine) claimedRows(ctx context.Context, c *store.Conn, args []any) ([]any, error) {
	st := e.shape.st
	if c.Dialect() != mysqlDialect {
		return e.shape.read(ctx, c, &st.Claim, args)
	}
	ids, err := e.ids(ctx, c, &st.Claim, args)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	take, taken := many(&st.Take, args, ids)
	if _, err := store.Exec(ctx, c, take, taken); err != nil {
		return nil, err
	}
	read, reading := many(&st.Read, args, ids)
	return e.shape.read(ctx, c, read, reading)
}
