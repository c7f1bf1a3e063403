package core

import (
	"context"
	"slices"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/internal/filter"
)

// Op is a kind of write; several are joined with |.
type Op uint8

// The kinds of writes. An upsert is one of the first two: which one, only an
// Effect with Rows sees; another sees Created|Updated.
const (
	Created Op = 1 << iota
	Updated
	Deleted
)

// Change is what a write did to one row.
type Change struct {
	Op Op
	ID any // int64 or string, by the datatype's IDKind
	// Before and After point to the row, as a *R of the datatype. They are
	// nil where there is no such row, and always unless the Effect has Rows.
	Before, After any
}

// Effect is what else happens when rows of a datatype are written. Generated
// code gives each datatype those that its behaviors ask for.
//
// Every write of a table runs them, whether of one row or of many; so does what
// a foreign key does to rows when the row that they refer to is deleted (see
// Cascade). What is written with SQL of the user's own does not.
type Effect struct {
	On Op // the writes that it is for

	// Wanted, if set, is asked before a write that the effect is for whether it has anything to
	// do: a write for which no effect has costs what it costs without effects. It is
	// asked once for a write, however many rows that has, and once for each datatype that
	// a delete reaches; an error ends the write. It must be quick, and not
	// depend on the rows.
	Wanted func(ctx context.Context, c *Conn) (bool, error)

	// Rows has Change.Before and After filled. A write then reads the row before
	// it changes it.
	Rows bool

	// Announce is announced when the write is committed, see Conn.Announce.
	Announce string

	// Run, if set, is called in the transaction of the write, which is begun where
	// there is none, with at most EffectBatch changes at a time. An error undoes
	// the write. It runs after the write, but before a delete: what it reads of the
	// database may still hold the row.
	Run func(ctx context.Context, c *Conn, changes []Change) error
}

// EffectBatch bounds the changes that an Effect gets at a time: a write of more
// rows calls it several times.
const EffectBatch = 500

// effects are those of one datatype, in the order in which they run.
type effects []Effect

// on selects the effects of some writes.
func (es effects) on(op Op) effects {
	var out effects
	for _, e := range es {
		if e.On&op != 0 {
			out = append(out, e)
		}
	}
	return out
}

// wanted keeps the effects that have something to do.
func (es effects) wanted(ctx context.Context, c *Conn) (effects, error) {
	for i := range es {
		if es[i].Wanted != nil {
			return es.chosen(ctx, c)
		}
	}
	return es, nil
}

// chosen is wanted where some effects have to be asked.
func (es effects) chosen(ctx context.Context, c *Conn) (effects, error) {
	var out effects
	for _, e := range es {
		if e.Wanted != nil {
			wanted, err := e.Wanted(ctx, c)
			if err != nil {
				return nil, err
			}
			if !wanted {
				continue
			}
		}
		out = append(out, e)
	}
	return out, nil
}

// transactional reports whether any of them has something to run.
func (es effects) transactional() bool {
	for _, e := range es {
		if e.Run != nil {
			return true
		}
	}
	return false
}

// rows reports whether any of them wants the rows.
func (es effects) rows() bool {
	for _, e := range es {
		if e.Rows && e.Run != nil {
			return true
		}
	}
	return false
}

// run runs the effects of changes of one kind.
func (es effects) run(ctx context.Context, c *Conn, changes []Change) error {
	for len(changes) > 0 {
		batch := changes[:min(len(changes), EffectBatch)]
		changes = changes[len(batch):]
		for _, e := range es {
			if e.Run == nil {
				continue
			}
			if err := e.Run(ctx, c, e.view(batch)); err != nil {
				return err
			}
		}
	}
	return nil
}

// view keeps the rows from an effect that did not ask for them, so that none
// comes to rely on what another asked for.
func (e *Effect) view(changes []Change) []Change {
	if e.Rows {
		return changes
	}
	out := make([]Change, len(changes))
	for i, ch := range changes {
		out[i] = Change{Op: ch.Op, ID: ch.ID}
	}
	return out
}

// announce wakes who listens for these writes.
func (es effects) announce(c *Conn) {
	for _, e := range es {
		if e.Announce != "" {
			c.Announce(e.Announce)
		}
	}
}

// following is what follows one write: the effects that have something to do.
type following struct {
	effects
	announced bool // they only announce it, and rows that refer to the written ones have none: it needs no transaction
}

// follow asks what follows a write.
func (a access) follow(ctx context.Context, op Op) (f following, err error) {
	if f.effects, err = a.s.byOp[op].wanted(ctx, a.c); err != nil || f.transactional() {
		return f, err
	}
	if op != Deleted {
		return following{f.effects, true}, nil
	}
	leads, err := a.leads(ctx, a.s, nil)
	return following{f.effects, !leads}, err
}

// leads reports whether the deletion of a datatype's rows reaches rows with effects that
// have something to do. passed are the datatypes that were asked about before.
func (a access) leads(ctx context.Context, s *Spec, passed []*Spec) (bool, error) {
	for _, k := range s.Cascades {
		k.Spec.prepare()
		op := Deleted
		if k.SetNull {
			op = Updated
		}
		es, err := k.Spec.byOp[op].wanted(ctx, a.c)
		if err != nil || len(es) > 0 {
			return true, err
		}
		if k.SetNull || slices.Contains(passed, k.Spec) {
			continue
		}
		passed = append(passed, k.Spec)
		if leads, err := a.leads(ctx, k.Spec, passed); leads || err != nil {
			return leads, err
		}
	}
	return false, nil
}

// affecting is the one place through which writes with effects go: it runs write
// and then the effects on op, in one transaction where they need it. write may
// run again after a conflict with another transaction, as of Tx; it returns what
// it changed, which is nothing where it only read.
func (a access) affecting(ctx context.Context, op Op, write func(in access, f following) ([]Change, error)) error {
	f, err := a.follow(ctx, op)
	if err != nil {
		return err
	}
	if f.announced {
		changes, err := write(a, f)
		if err == nil && len(changes) > 0 {
			f.announce(a.c)
		}
		return err
	}
	return a.c.InTx(ctx, func(c *Conn) error {
		changes, err := write(a.on(c), f)
		if err != nil || len(changes) == 0 {
			return err
		}
		f.announce(c)
		if op == Deleted { // these have run their effects already, before the rows went
			return nil
		}
		return f.run(ctx, c, changes)
	})
}

func (a access) createWithEffects(ctx context.Context, n, row any) error {
	return a.affecting(ctx, Created, func(in access, _ following) ([]Change, error) {
		if err := in.createRow(ctx, n, row); err != nil {
			return nil, err
		}
		return []Change{{Op: Created, ID: in.idOf(row), After: row}}, nil
	})
}

func (a access) createManyWithEffects(ctx context.Context, n int, at func(i int) (n, row any)) (ids []any, err error) {
	err = a.affecting(ctx, Created, func(in access, _ following) ([]Change, error) {
		if ids, err = in.createRows(ctx, n, at); err != nil {
			return nil, err
		}
		changes := make([]Change, n)
		for i := range n {
			_, row := at(i)
			changes[i] = Change{Op: Created, ID: in.idOf(row), After: row}
		}
		return changes, nil
	})
	return ids, err
}

func (a access) updateWithEffects(ctx context.Context, id any, where *filter.Node, p, row any) error {
	return a.affecting(ctx, Updated, func(in access, f following) ([]Change, error) {
		var before any
		if f.rows() {
			before = in.s.Row()
			if err := in.getLocked(ctx, id, before); err != nil {
				return nil, err
			}
		}
		wrote, err := in.updateRow(ctx, id, where, p, row)
		if err != nil || !wrote {
			return nil, err
		}
		return []Change{{Op: Updated, ID: in.idOf(row), Before: before, After: row}}, nil
	})
}

func (a access) upsertWithEffects(ctx context.Context, key int, n, row any) error {
	return a.affecting(ctx, Created|Updated, func(in access, f following) ([]Change, error) {
		if !f.rows() {
			if err := in.upsertRow(ctx, key, n, row); err != nil {
				return nil, err
			}
			return []Change{{Op: Created | Updated, ID: in.idOf(row)}}, nil
		}
		before, err := in.upsertSeen(ctx, key, n, row)
		if err != nil {
			return nil, err
		}
		change := Change{Op: Created, ID: in.idOf(row), After: row}
		if before != nil {
			change.Op, change.Before = Updated, before
		}
		return []Change{change}, nil
	})
}

func (a access) deleteWithEffects(ctx context.Context, id any) error {
	arg, err := a.idArg(id)
	if err != nil {
		return err
	}
	return a.affecting(ctx, Deleted, func(in access, f following) ([]Change, error) {
		if f.announced {
			return []Change{{Op: Deleted, ID: arg}}, in.deleteRow(ctx, arg)
		}
		changes, err := in.lockRows(ctx, &filter.Node{Op: filter.Eq, Col: 0, Args: []any{arg}}, f.rows(), 1)
		if err != nil {
			return nil, err
		}
		if len(changes) == 0 {
			return nil, in.fail(store.ErrNotFound)
		}
		if err := in.leaving(ctx, f.effects, changes); err != nil {
			return nil, err
		}
		return changes, in.deleteRow(ctx, arg)
	})
}

// deleteWhereWithEffects deletes in batches, so that each row is seen and few
// are held in memory at a time.
func (a access) deleteWhereWithEffects(ctx context.Context, where *filter.Node) (total int64, err error) {
	err = a.affecting(ctx, Deleted, func(in access, f following) ([]Change, error) {
		total = 0
		if f.announced {
			n, err := in.deleteRows(ctx, where)
			total = n
			return make([]Change, min(n, 1)), err // that there were some is all that counts
		}
		var some []Change
		err := in.eachLocked(ctx, where, f.rows(), func(changes []Change) error {
			some = changes
			if err := in.leaving(ctx, f.effects, changes); err != nil {
				return err
			}
			n, err := in.deleteRows(ctx, listed(0, changes))
			total += n
			return err
		})
		return some, err
	})
	return total, err
}

// deleteSome deletes up to limit of the rows that where keeps and that no one else has locked. The rows
// that it finds are locked until they are deleted, also where no effects need the transaction: two that
// delete the same rows would block each other.
func (a access) deleteSome(ctx context.Context, where *filter.Node, limit int) (n int64, err error) {
	err = a.affecting(ctx, Deleted, func(in access, f following) (changes []Change, err error) {
		err = in.c.InTx(ctx, func(c *Conn) error {
			in := in.on(c)
			n = 0
			if changes, err = in.lockFree(ctx, where, f.rows(), min(limit, EffectBatch)); err != nil || len(changes) == 0 {
				return err
			}
			if err := in.leaving(ctx, f.effects, changes); err != nil {
				return err
			}
			n, err = in.deleteRows(ctx, listed(0, changes))
			return err
		})
		return changes, err
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}

func (a access) changed(ctx context.Context, op Op, ids []any) error {
	if len(ids) == 0 {
		return nil
	}
	es, err := a.s.byOp[op].wanted(ctx, a.c)
	if err != nil || len(es) == 0 {
		return err
	}
	es.announce(a.c)
	changes := make([]Change, len(ids))
	for i, id := range ids {
		changes[i] = Change{Op: op, ID: id}
	}
	for rest := changes; es.rows() && len(rest) > 0; {
		batch := rest[:min(len(rest), EffectBatch)]
		rest = rest[len(batch):]
		if err := a.readAfter(ctx, batch); err != nil {
			return err
		}
	}
	return es.run(ctx, a.c, changes)
}

// leaving runs what goes with the deletion of rows, which are still there: first
// the effects on rows that refer to them.
func (a access) leaving(ctx context.Context, es effects, changes []Change) error {
	if len(a.s.Cascades) > 0 {
		if err := a.cascade(ctx, changes, passed{}); err != nil {
			return err
		}
	}
	return es.run(ctx, a.c, changes)
}

// listed keeps the rows whose column is the id of one of the changes.
func listed(col int, changes []Change) *filter.Node {
	ids := make([]any, len(changes))
	for i, ch := range changes {
		ids[i] = ch.ID
	}
	return &filter.Node{Op: filter.In, Col: col, Args: ids}
}
