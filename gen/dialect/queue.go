package dialect

import (
	"fmt"

	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// work lowers the operations of a queue.
func (l *lowering) work(d *model.Datatype, op *model.Operation) []model.Query {
	w := work{lowering: l, d: d, w: d.Worker, q: d.Worker.Section}
	lower, ok := map[model.OpKind]func() []model.Query{
		model.OpClaim:    func() []model.Query { return w.claim(op) },
		model.OpLock:     w.lock,
		model.OpBeat:     func() []model.Query { return w.held(w.beat, skip) },
		model.OpComplete: func() []model.Query { return w.held(w.done, wait) },
		model.OpFinish:   func() []model.Query { return w.settle(w.finish) },
		model.OpRetry:    func() []model.Query { return w.settle(w.retry) },
		model.OpSnooze:   func() []model.Query { return w.settle(w.snooze) },
		model.OpRelease:  func() []model.Query { return w.settle(w.release) },
		model.OpBury:     func() []model.Query { return w.settle(w.bury) },
		model.OpAbandon:  func() []model.Query { return w.settle(w.abandon) },
		model.OpReport:   func() []model.Query { return w.settle(w.report) },
		model.OpRunning:  w.running,
		model.OpExpire:   w.expire,
		model.OpPromote:  w.promote,
		model.OpNextDue:  w.nextDue,
		model.OpStranger: w.stranger,
		model.OpPark:     w.park,
		model.OpUnpark:   w.unpark,
		model.OpCancel:   w.cancel,
		model.OpRevive:   w.revive,
		model.OpPrune:    func() []model.Query { return w.prune(op.Retention) },
		model.OpGateUsed: w.gateUsed,
		model.OpGateHold: w.gateHold,
		model.OpGateOpen: w.gateOpen,
		model.OpGateNext: w.gateNext,
		model.OpTwin:     w.keyHolder,
		model.OpYield:    w.yield,
		model.OpPriority: w.priority,
	}[op.Kind]
	if !ok {
		panic(fmt.Sprintf("dialect: operation %q is not in the closed set", op.Kind))
	}
	return lower()
}

// work is the lowering of one datatype's queue.
type work struct {
	*lowering
	d *model.Datatype
	w *model.Worker
	q *model.QueueSection
}

// is compares a column with a constant.
func (w work) is(f *model.Field, value string) string {
	return w.lowering.q(f.Name) + " = " + w.quoteText(value)
}

func (w work) name(f *model.Field) string { return w.lowering.q(f.Name) }

// update begins the change of a row's state.
func (w work) update(set string) *statement {
	s := w.statement()
	s.add("UPDATE %s\nSET %s", w.lowering.q(w.d.Name), set)
	return s
}

// leave begins the end of a claim.
func (w work) leave(s *statement, state string) {
	s.add("%s, %s = NULL", w.is(w.q.State, state), w.name(w.w.Lease))
}

// end begins the end of a row's life in the queue.
func (w work) end(s *statement, state string) {
	w.leave(s, state)
	w.ended(s, "")
}

// ended notes when a row ended. A row that ends no longer holds its unique key,
// unless that holds for a time, but keeps it: one that is made ready again takes
// it back. Where only some rows end, when is the condition of that.
func (w work) ended(s *statement, when string) {
	if f := w.q.CompletedAt; f != nil {
		s.add(", %s = ", w.name(f))
		s.when(when, w.name(f), func() { s.add("%s", s.now(f)) })
	}
	if w.w.Unique != nil {
		until, yielded := w.name(w.w.UniqueUntil), w.name(w.w.Yielded)
		s.add(", %s = ", until)
		s.when(when, until, func() { w.holdOn(s) })
		s.add(", %s = ", yielded)
		s.when(when, yielded, func() { s.add("%s", w.literal(w.w.Yielded, "false")) })
	}
}

// holdOn is until when a row that ends goes on to hold its key: of a kind whose
// key holds for a time. What a debounced row has there is of its waiting.
func (w work) holdOn(s *statement) {
	var kinds []string
	for _, k := range w.q.Kinds {
		if u := k.Policy.Unique; u != nil && u.For > 0 {
			kinds = append(kinds, w.quoteText(k.Name))
		}
	}
	u := w.q.Policy.Unique
	switch {
	case len(kinds) > 0:
		s.add("CASE WHEN %s", w.oneOf(w.name(w.q.KindField), kinds))
		s.add(" AND %s > %s", w.name(w.w.UniqueUntil), s.now(w.w.UniqueUntil))
	case len(w.q.Kinds) == 0 && u != nil && u.For > 0:
		s.add("CASE WHEN %s > %s", w.name(w.w.UniqueUntil), s.now(w.w.UniqueUntil))
	default:
		s.add("NULL")
		return
	}
	s.add(" THEN %s ELSE NULL END", w.name(w.w.UniqueUntil))
}

// failure writes what went wrong.
func (w work) failure(s *statement) {
	s.add(", %s = %s", w.name(w.q.Error), s.arg(argError, w.q.Error))
	s.add(", %s = %s", w.name(w.w.Errors), s.arg(argErrors, w.w.Errors))
}

// later postpones a row and keeps it out of the claim's sight until then.
func (w work) later(s *statement) {
	s.add(", %s = %s", w.name(w.q.RunAt), s.later(w.q.RunAt))
	s.add(", %s = %s", w.name(w.w.Hold), s.arg(argHold, w.w.Hold))
}

func (w work) uncount(s *statement) {
	s.add(", %s = %s - 1", w.name(w.q.Attempts), w.name(w.q.Attempts))
}

func (w work) beat(s *statement) { s.add("%s = %s", w.name(w.w.Lease), s.later(w.w.Lease)) }

func (w work) done(s *statement) { w.end(s, w.q.Done) }

func (w work) finish(s *statement) {
	w.end(s, w.q.Done)
	s.add(", %s = %s", w.name(w.w.Result), s.arg(argResult, w.w.Result))
}

func (w work) retry(s *statement) {
	w.leave(s, w.q.Ready)
	w.later(s)
	w.failure(s)
}

func (w work) snooze(s *statement) {
	w.leave(s, w.q.Ready)
	w.uncount(s)
	w.later(s)
}

func (w work) release(s *statement) {
	w.leave(s, w.q.Ready)
	w.uncount(s)
	s.add(", %s = %s", w.name(w.w.Hold), s.arg(argHold, w.w.Hold))
	s.add(", %s = COALESCE(%s, %s)", w.name(w.q.Error), s.arg(argError, w.q.Error), w.name(w.q.Error))
}

func (w work) bury(s *statement) {
	w.end(s, w.q.Dead)
	w.failure(s)
}

func (w work) abandon(s *statement) {
	w.end(s, w.gone())
	w.failure(s)
}

// gone is the state of a row that was cancelled.
func (w work) gone() string {
	if w.q.Cancelled != "" {
		return w.q.Cancelled
	}
	return w.q.Dead
}

func (w work) report(s *statement) {
	s.add("%s = %s", w.name(w.w.Progress), s.arg(argProgress, w.w.Progress))
	s.add(", %s = %s", w.name(w.w.Note), s.arg(argNote, w.w.Note))
}

// settle is a change that only the holder of the claim may make: it names the
// epoch, and changes no row once another has claimed it.
func (w work) settle(set func(*statement)) []model.Query {
	s := w.update("")
	set(s)
	s.add("\nWHERE id = %s", s.arg(argID, w.d.IDField()))
	s.add(" AND %s = %s", w.name(w.w.Epoch), s.arg(argEpoch, w.w.Epoch))
	s.add(" AND %s", w.is(w.q.State, w.q.Running))
	return one(s.query(":execrows", nil))
}

// wait and skip are what a change of many rows does with those that somebody
// has locked. A heartbeat skips: the row of a handler whose transaction is open
// must not keep the others' leases from being renewed, and cannot be taken
// meanwhile.
const (
	wait = false
	skip = true
)

// held is settle for many claims at once. PostgreSQL takes them as two arrays
// and gives the ids of those that it changed. MySQL takes their ids, from which
// lock has taken those of others. SQLite, whose statements cost no round trip,
// takes one after the other.
func (w work) held(set func(*statement), skip bool) []model.Query {
	switch w.lowering.d {
	case sqltext.Postgres:
		s := w.update("")
		set(s)
		if skip {
			s.add("\nWHERE id = ANY(ARRAY(\nSELECT due.id\nFROM %s AS due", w.lowering.q(w.d.Name))
			s.add(", (SELECT unnest(%s::%s[]) AS id", s.arg(argIDs, nil), w.idType())
			s.add(", unnest(%s::bigint[]) AS epoch) AS claim", s.arg(argEpochs, nil))
			s.add("\nWHERE due.id = claim.id AND due.%s = claim.epoch", w.name(w.w.Epoch))
			s.add(" AND due.%s\nFOR UPDATE OF due SKIP LOCKED\n))\nRETURNING id", w.is(w.q.State, w.q.Running))
			return one(s.query(":many", []*model.Field{w.d.IDField()}))
		}
		s.add("\nFROM (SELECT unnest(%s::%s[]) AS id", s.arg(argIDs, nil), w.idType())
		s.add(", unnest(%s::bigint[]) AS epoch) AS claim", s.arg(argEpochs, nil))
		table := w.lowering.q(w.d.Name)
		s.add("\nWHERE %s.id = claim.id AND %s.%s = claim.epoch", table, table, w.name(w.w.Epoch))
		s.add(" AND %s.%s\nRETURNING %s.id", table, w.is(w.q.State, w.q.Running), table)
		return one(s.query(":many", []*model.Field{w.d.IDField()}))
	case sqltext.MySQL:
		s := w.update("")
		set(s)
		s.add("\nWHERE id IN (%s)", s.arg(argID, w.d.IDField()))
		return one(s.query(":execrows", nil))
	}
	return w.settle(set)
}

func (w work) idType() string {
	if w.d.ID == model.IDULID {
		return "text"
	}
	return "bigint"
}

// lock is MySQL's way to change only what one still has: it locks claimed rows
// in the order of their ids, so that two who do it cannot wait for each other.
func (w work) lock() []model.Query {
	if w.lowering.d != sqltext.MySQL {
		return nil
	}
	s := w.statement()
	s.add("SELECT id, %s\nFROM %s\nWHERE id IN (%s)", w.name(w.w.Epoch), w.lowering.q(w.d.Name), s.arg(argID, w.d.IDField()))
	s.add(" AND %s\nORDER BY id\nFOR UPDATE", w.is(w.q.State, w.q.Running))
	return one(s.query(":many", []*model.Field{w.d.IDField(), w.w.Epoch}))
}

// running lists the claims that there are, in no order: PostgreSQL and SQLite
// would go through the whole table for one by id. A row without a lease is no
// worker's: a person has set its state.
func (w work) running() []model.Query {
	columns := []*model.Field{w.d.IDField(), w.w.Epoch, w.w.Lease, w.q.Attempts, w.q.MaxAttempts, w.w.Errors}
	s := w.statement()
	s.add("SELECT %s\nFROM %s\nWHERE %s", w.lowering.d.Columns(names(columns)), w.lowering.q(w.d.Name), w.is(w.q.State, w.q.Running))
	s.add(" AND %s IS NOT NULL", w.name(w.w.Lease))
	if w.lowering.d == sqltext.SQLite { // which reads the whole table otherwise, not the few entries of the index
		s.add(" AND %s > ''", w.name(w.w.Lease))
	}
	s.add("\nLIMIT %s", s.arg(argLimit, nil))
	return one(s.query(":many", columns))
}

// expire takes a claim from a worker that has not renewed it: the lease must
// still be the one that was seen. A row that somebody has locked is left for
// later, on MySQL by lock: a process that is frozen in a transaction must not
// keep the jobs of others from being taken over.
func (w work) expire() []model.Query {
	usedUp := fmt.Sprintf("%s >= %s", w.name(w.q.Attempts), w.name(w.q.MaxAttempts))
	s := w.update("")
	s.add("%s = CASE WHEN %s THEN %s ELSE %s END", w.name(w.q.State), usedUp, w.quoteText(w.q.Dead), w.quoteText(w.q.Ready))
	s.add(", %s = NULL, %s", w.name(w.w.Lease), w.is(w.w.Hold, ""))
	w.ended(s, usedUp)
	w.failure(s)
	seen := func(alias string) {
		s.add("%sid = %s", alias, s.arg(argID, w.d.IDField()))
		s.add(" AND %s%s = %s", alias, w.name(w.w.Epoch), s.arg(argEpoch, w.w.Epoch))
		s.add(" AND %s%s AND (%s%s IS NULL OR %s%s = %s)", alias, w.is(w.q.State, w.q.Running),
			alias, w.name(w.w.Lease), alias, w.name(w.w.Lease), s.arg(argLease, w.w.Lease))
	}
	s.add("\nWHERE ")
	if w.lowering.d == sqltext.Postgres {
		s.add("id = ANY(ARRAY(\nSELECT due.id\nFROM %s AS due\nWHERE ", w.lowering.q(w.d.Name))
		seen("due.")
		s.add("\nFOR UPDATE SKIP LOCKED\n))")
	} else {
		seen("")
	}
	return one(s.query(":execrows", nil))
}

// cancel ends a row whoever has it; its worker finds the claim gone.
func (w work) cancel() []model.Query {
	s := w.update("")
	w.end(s, w.gone())
	s.add(", %s = COALESCE(%s, %s)", w.name(w.q.Error), s.arg(argError, w.q.Error), w.name(w.q.Error))
	s.add("\nWHERE id = %s", s.arg(argID, w.d.IDField()))
	s.add(" AND %s IN (%s, %s)", w.name(w.q.State), w.quoteText(w.q.Ready), w.quoteText(w.q.Running))
	return one(s.query(":execrows", nil))
}

// revive gives a row that has ended, or waits, all its attempts again, at once.
func (w work) revive() []model.Query {
	s := w.update("")
	s.add("%s, %s = 0, %s", w.is(w.q.State, w.q.Ready), w.name(w.q.Attempts), w.is(w.w.Hold, ""))
	s.add(", %s = %s", w.name(w.q.RunAt), s.now(w.q.RunAt))
	if f := w.q.CompletedAt; f != nil {
		s.add(", %s = NULL", w.name(f))
	}
	if w.w.Unique != nil { // a time that has passed would let the key go at once
		s.add(", %s = CASE WHEN %s", w.name(w.w.UniqueUntil), w.name(w.w.UniqueUntil))
		s.add(" > %s THEN %s ELSE NULL END", s.now(w.w.UniqueUntil), w.name(w.w.UniqueUntil))
	}
	s.add("\nWHERE id = %s", s.arg(argID, w.d.IDField()))
	s.add(" AND %s <> %s", w.name(w.q.State), w.quoteText(w.q.Running))
	return one(s.query(":execrows", nil))
}

// mostWaiting bounds what a priority is worth in microseconds of waiting, far
// beyond any time: two of them can be added. Package runtime/queue has the same.
const mostWaiting = 1 << 61

// priority moves a waiting row, and its rank with it.
func (w work) priority() []model.Query {
	f, rank := w.q.Order[0].Field, w.name(w.w.Rank)
	s := w.update("")
	// MySQL assigns from left to right: the rank must see the old priority.
	s.add("%s = %s", rank, rank)
	s.add(" + %s", w.worth(func() string { return w.name(f) }))
	s.add(" - %s", w.worth(func() string { return s.cast(s.arg(argPriority, f)) }))
	s.add(", %s = %s", w.name(f), s.arg(argPriority, f))
	s.add("\nWHERE id = %s", s.arg(argID, w.d.IDField()))
	return one(s.query(":execrows", nil))
}

// worth is how much waiting a priority makes up for, within bounds.
func (w work) worth(priority func() string) string {
	step := w.q.Ageing.Microseconds()
	most := int64(mostWaiting) / step
	return fmt.Sprintf("CASE WHEN %s > %d THEN %d WHEN %s < -%d THEN -%d ELSE %s * %d END",
		priority(), most, int64(mostWaiting), priority(), most, int64(mostWaiting), priority(), step)
}

// keyHolder finds and locks the row that holds a unique key.
func (w work) keyHolder() []model.Query {
	s := w.statement()
	s.add("SELECT %s\nFROM %s\nWHERE %s = %s", w.lowering.d.Columns(names(w.d.Columns())), w.lowering.q(w.d.Name),
		w.name(w.w.Unique), s.arg(argKey, w.w.Unique))
	s.add(" AND %s", w.holding())
	if w.lowering.d != sqltext.SQLite {
		s.add("\nFOR UPDATE")
	}
	return one(s.query(":one", w.d.Columns()))
}

// holding is the condition of rows that hold their unique key, as the index of
// the key has it.
func (w work) holding() string {
	if w.lowering.d == sqltext.MySQL {
		return w.lowering.q(w.w.Holds.WhenColumn()) + " = 1"
	}
	return w.conditions(w.w.Holds.Where)
}

// yield lets another row have the unique key, until this one is made ready
// again after its end.
func (w work) yield() []model.Query {
	s := w.update("")
	s.add("%s = NULL, ", w.name(w.w.UniqueUntil))
	s.add("%s = CASE WHEN %s", w.name(w.w.Yielded), w.oneOf(w.name(w.q.State), []string{w.quoteText(w.q.Ready), w.quoteText(w.q.Running)}))
	s.add(" THEN %s ELSE %s END", w.literal(w.w.Yielded, "true"), w.name(w.w.Yielded))
	s.add("\nWHERE id = %s", s.arg(argID, w.d.IDField()))
	return one(s.query(":execrows", nil))
}
