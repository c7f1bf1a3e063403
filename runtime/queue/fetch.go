package queue

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
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

// promote lets rows be claimed whose time has come, and says so: another line, or
// the keeper, may have been first, and the one that sleeps finds none to wait for.
func (e *engine) promote(ctx context.Context) (int64, error) {
	args := arguments(e.db, 0)
	args[argLimit] = int64(maxBatch)
	n, err := store.Exec(ctx, e.db.Conn(), &e.shape.st.Promote, args)
	if n > 0 {
		e.db.Conn().Announce(e.shape.name)
	}
	return n, err
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

// ids runs a statement that gives ids.
func (e *engine) ids(ctx context.Context, c *store.Conn, st *store.Statement, args []any) ([]any, error) {
	found, err := store.Many(ctx, c, st, args, func(v *anyID) []any { return []any{v} })
	if err != nil {
		return nil, err
	}
	ids := make([]any, len(found))
	for i, v := range found {
		ids[i] = v.v
	}
	return ids, nil
}

// anyID is an id of either form.
type anyID struct{ v any }

// Scan takes what the database gives.
func (id *anyID) Scan(src any) error {
	switch v := src.(type) {
	case int64, string:
		id.v = v
	case []byte:
		id.v = string(v)
	default:
		return errors.New("queue: the id is neither a number nor a text")
	}
	return nil
}

// Bind gives the id as it was read.
func (id *anyID) Bind() any { return id.v }

// many is a statement of MySQL's for several ids in place of one.
func many(st *store.Statement, args []any, ids []any) (*store.Statement, []any) {
	out := &store.Statement{}
	marks := strings.TrimSuffix(strings.Repeat("?, ", len(ids)), ", ")
	out.Text[mysqlDialect] = strings.Replace(st.Text[mysqlDialect], "IN (?)", "IN ("+marks+")", 1)
	order := make([]int, 0, len(st.Order[mysqlDialect])+len(ids))
	for _, from := range st.Order[mysqlDialect] {
		if from != argID {
			order = append(order, from)
			continue
		}
		for i := range ids {
			order = append(order, len(args)+i)
		}
	}
	out.Order[mysqlDialect] = order
	return out, append(slices.Clone(args), ids...)
}

// sorted puts claimed rows into the order of claims, in which no database gives
// what it has changed.
func (e *engine) sorted(rows []any) []any {
	if len(rows) < 2 {
		return rows
	}
	type keyed struct {
		row any
		key []any
	}
	all := make([]keyed, len(rows))
	for i, row := range rows {
		fields := e.shape.fields(row)
		key := make([]any, len(e.shape.order))
		for j, o := range e.shape.order {
			key[j], _ = store.Plain(fields[o.Column])
		}
		all[i] = keyed{row, key}
	}
	slices.SortStableFunc(all, func(a, b keyed) int {
		for i, o := range e.shape.order {
			c := compare(a.key[i], b.key[i])
			if o.Desc {
				c = -c
			}
			if c != 0 {
				return c
			}
		}
		return 0
	})
	for i, k := range all {
		rows[i] = k.row
	}
	return rows
}

// compare orders values as the databases do; null comes first.
func compare(a, b any) int {
	if a == nil || b == nil {
		return cmp.Compare(rankNull(a), rankNull(b))
	}
	switch a := a.(type) {
	case int64:
		return cmp.Compare(a, b.(int64))
	case string:
		return cmp.Compare(a, b.(string))
	case time.Time:
		return a.Compare(b.(time.Time))
	case bool:
		return cmp.Compare(rankBool(a), rankBool(b.(bool)))
	case store.Date:
		return a.Compare(b.(store.Date))
	case store.Number:
		return cmp.Compare(a.Unscaled, b.(store.Number).Unscaled)
	}
	return 0
}

func rankNull(v any) int {
	if v == nil {
		return 0
	}
	return 1
}

func rankBool(v bool) int {
	if v {
		return 1
	}
	return 0
}
