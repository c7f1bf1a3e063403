package sqlite

import (
	"context"
	"errors"
	"runtime"

	"github.com/hegner123/modulagen/runtime/store/core"
	sqlite3 "modernc.org/sqlite/lib"
)

// A commit costs more than a small write: on a disk that is waited for, a
// hundred times more. Writes that wait for the writer at the same time therefore
// share one: the first of them, which gets the connection, does the work of the
// others too, in one transaction, and each returns to its caller when that is
// committed. Who finds the writer free and no one waiting writes as if there were
// no groups.
//
// A unit's error is its own: a statement that fails undoes itself. What undoes
// the whole transaction (an interrupt, a full disk, a panic, a statement that
// says so) makes those that it hit as well run again, each by itself.

// What one transaction does for others before they are notified, in units and in
// statements, is bounded: transactions wait as well.
const (
	groupMost       = 256
	groupStatements = 4096
)

// yields is how often a leader lets other goroutines run after a group before it
// goes alone: some tenths of a microsecond where no one wants to.
const yields = 3

// unit is work on the writer that can be done in another's transaction.
type unit struct {
	ctx     context.Context
	sql     string
	args    []any
	row     bool // dest is for the first row
	dest    []any
	each    func() error      // not nil: dest is for each row, and this is called then
	rows    *rows             // kept for each, of which only the unit's own goroutine knows
	times   func(i int) []any // not nil: the arguments of each time
	touched []int64           // of each time
	result  core.Result       // of a statement without rows
	err     error
	panic   any  // what it panicked with; goes on where it came from
	rides   bool // its result stands when the group's transaction does
}

// share does a unit's work, or has it done.
func (b *backend) share(u *unit) error {
	if u.ctx.Err() != nil {
		return core.Ended(u.ctx)
	}
	c, err := b.writer.take(u.ctx, u)
	if err != nil {
		return err
	}
	if c != nil {
		b.lead(c, u)
	}
	if u.panic != nil {
		panic(u.panic)
	}
	if u.err == nil && u.rows != nil {
		return u.rows.each(u.dest, u.each)
	}
	return u.err
}

// lead does own, and what others wait with.
func (b *backend) lead(c *conn, own *unit) {
	if b.writer.shared { // those whose work was just done are about to come again
		for i := 0; i < yields && !b.writer.crowded(); i++ {
			runtime.Gosched()
		}
	}
	b.writer.shared = b.writer.crowded()
	if !b.writer.shared {
		defer b.giveWriter(c)
		if own.each != nil { // no one waits: the rows go where they belong as they come
			own.err = own.query(c)
		} else {
			own.alone(c)
		}
		return
	}
	g := group{c: c, turns: []*turn{{work: own}}}
	defer func() { // also when a caller's code ends the goroutine
		g.finish()
		b.giveWriter(c)
		g.notify()
	}()
	if _, own.err = c.exec(own.ctx, "BEGIN IMMEDIATE", nil); own.err != nil {
		g.over = true
		return
	}
	g.do(own)
	for len(g.turns) < groupMost && g.statements < groupStatements && c.inTransaction() {
		t := b.writer.claim()
		if t == nil {
			break
		}
		g.turns = append(g.turns, t)
		g.do(t.work)
	}
	g.commit()
}

// group is one transaction of several units.
type group struct {
	c     *conn
	turns []*turn // the leader's own first, which no one waits for
	over  bool    // each unit has its result

	statements int // done so far
}

// do runs a unit within the transaction.
func (g *group) do(u *unit) {
	if u.ctx.Err() != nil {
		u.err = core.Ended(u.ctx)
		return
	}
	defer func() {
		if u.panic != nil {
			_ = g.c.leaveTransaction() // half a unit's work cannot stay
		}
		u.rides = g.c.inTransaction()
		g.statements += max(1, len(u.touched))
	}()
	defer u.catch()
	if u.times == nil {
		u.err = u.once(g.c)
		return
	}
	u.err = g.c.saved(func() error { return g.c.execEach(u.ctx, u.sql, u.times, u.touched) })
}

// catch keeps a panic for the goroutine whose it is.
func (u *unit) catch() {
	if p := recover(); p != nil {
		u.panic = p
	}
}

// saved undoes what fn did when it fails, and nothing else.
func (c *conn) saved(fn func() error) error {
	ctx := context.Background()
	if _, err := c.exec(ctx, "SAVEPOINT one", nil); err != nil {
		return err
	}
	err := fn()
	if !c.inTransaction() {
		return err
	}
	if err != nil {
		if _, rerr := c.exec(ctx, "ROLLBACK TO one", nil); rerr != nil {
			return errors.Join(err, rerr, c.leaveTransaction())
		}
	}
	if _, rerr := c.exec(ctx, "RELEASE one", nil); rerr != nil {
		return errors.Join(err, rerr, c.leaveTransaction())
	}
	return err
}

// commit makes the units' work stand, or finds out for each what becomes of it.
func (g *group) commit() {
	if !g.c.inTransaction() { // the last unit has taken the others with it
		g.again()
		return
	}
	_, err := g.c.exec(context.Background(), "COMMIT", nil)
	g.over = true
	if err == nil {
		return
	}
	if rerr := g.c.leaveTransaction(); rerr != nil {
		err = errors.Join(err, rerr)
	}
	if isConstraint(err) { // one of them has broken a rule that is looked at last
		g.again()
		return
	}
	for _, t := range g.turns {
		if t.work.rides {
			t.work.err = err
		}
	}
}

// isConstraint reports whether a transaction could not be committed because of what
// it did, and not for want of something.
func isConstraint(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Code&0xff == sqlite3.SQLITE_CONSTRAINT
}

// again does units by themselves whose transaction did not come to stand. One
// that had failed may do better: its error may have been about what others in
// it had written.
func (g *group) again() {
	g.over = true
	for _, t := range g.turns {
		if t.work.rides {
			t.work.alone(g.c)
		}
	}
}

// finish leaves no unit without a result and no transaction open, whatever has
// happened.
func (g *group) finish() {
	if g.over {
		return
	}
	err := errors.Join(errors.New("sqlite: the write was given up: another that shared its transaction ended its goroutine"),
		g.c.leaveTransaction())
	for _, t := range g.turns {
		if t.work.rides || t.work.err == nil && t.work.panic == nil {
			t.work.err = err
		}
	}
}

// notify lets those go on whose work was done.
func (g *group) notify() {
	for _, t := range g.turns[1:] {
		t.ready <- nil
	}
}

// alone does a unit in a transaction of its own.
func (u *unit) alone(c *conn) {
	if u.ctx.Err() != nil {
		u.err = core.Ended(u.ctx)
		return
	}
	defer func() {
		if u.panic != nil {
			_ = c.leaveTransaction()
		}
	}()
	defer u.catch()
	if u.times == nil {
		u.err = u.once(c)
		return
	}
	if len(u.touched) == 1 {
		u.err = c.execEach(u.ctx, u.sql, u.times, u.touched)
		return
	}
	if _, u.err = c.exec(u.ctx, "BEGIN IMMEDIATE", nil); u.err != nil {
		return
	}
	if u.err = c.execEach(u.ctx, u.sql, u.times, u.touched); u.err == nil {
		_, u.err = c.exec(u.ctx, "COMMIT", nil)
	}
	if err := c.leaveTransaction(); u.err == nil {
		u.err = err
	}
}

// once does a unit that is one statement.
func (u *unit) once(c *conn) (err error) {
	switch {
	case u.each != nil:
		u.rows, err = c.gather(u.ctx, u.sql, u.args, u.dest)
		return err
	case !u.row:
		u.result, err = c.exec(u.ctx, u.sql, u.args)
		return err
	}
	s, err := c.prepare(u.ctx, u.sql)
	if err != nil {
		return err
	}
	return c.queryRow(u.ctx, s, u.args, u.dest)
}

// query does a unit that gives rows, on the goroutine that wants them.
func (u *unit) query(c *conn) error {
	s, err := c.prepare(u.ctx, u.sql)
	if err != nil {
		return err
	}
	return c.query(u.ctx, s, u.args, u.dest, u.each)
}
