package queue

import (
	"fmt"

	"github.com/hegner123/modulagen/runtime/queue/protocol"

	"github.com/hegner123/modulagen/gen/dialect/statement"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// Lower writes the queries of a queue's operations.
func (Behavior) Lower(l statement.Writer, d *model.Datatype, op *model.Operation) []model.Query {
	q := Of(d)
	w := work{Writer: l, d: d, w: q.Worker, q: q}
	lower, ok := map[model.OpKind]func() []model.Query{
		OpClaim:          func() []model.Query { return w.claim(op) },
		OpLock:           w.lock,
		OpHeartbeat:      func() []model.Query { return w.held(w.heartbeat, skip) },
		OpComplete:       func() []model.Query { return w.held(w.done, wait) },
		OpFinish:         func() []model.Query { return w.settle(w.finish) },
		OpRetry:          func() []model.Query { return w.settle(w.retry) },
		OpSnooze:         func() []model.Query { return w.settle(w.snooze) },
		OpRelease:        func() []model.Query { return w.settle(w.release) },
		OpDeadLetter:     func() []model.Query { return w.settle(w.deadLetter) },
		OpCancelRunning:  func() []model.Query { return w.settle(w.cancelRunning) },
		OpBeginOnce:      func() []model.Query { return w.held(w.beginOnce, wait) },
		OpSetUnknown:     func() []model.Query { return w.settle(w.setUnknown) },
		OpReport:         func() []model.Query { return w.settle(w.report) },
		OpRunning:        w.running,
		OpExpire:         w.expire,
		OpPromote:        w.promote,
		OpSetHold:        w.setHold,
		OpNextDue:        w.nextDue,
		OpUnknownKind:    w.unknownKind,
		OpPark:           w.park,
		OpUnpark:         w.unpark,
		OpCancel:         w.cancel,
		OpRetryEnded:     w.retryEnded,
		OpPrune:          func() []model.Query { return w.prune(op.Detail.(*Retention)) },
		OpDeleteEnded:    w.deleteEnded,
		OpPaused:         w.paused,
		OpSetPaused:      w.setPaused,
		OpAddLimit:       w.addLimit,
		OpLockLimit:      w.lockLimit,
		OpSetLimit:       w.setLimit,
		OpPruneLimits:    w.pruneLimits,
		OpDeleteLimits:   w.deleteLimits,
		OpLimitRunning:   w.limitRunning,
		OpHoldLimited:    w.holdLimited,
		OpReleaseLimited: w.releaseLimited,
		OpNextLimited:    w.nextLimited,
		OpKeyHolder:      w.keyHolder,
		OpReleaseKey:     w.releaseKey,
		OpPriority:       w.priority,
	}[op.Kind]
	if !ok {
		panic(fmt.Sprintf("queue: there is no operation %q", op.Kind))
	}
	return lower()
}

// work is the lowering of one datatype's queue.
type work struct {
	statement.Writer
	d *model.Datatype
	w *Worker
	q *Section
}

// is compares a column with a constant.
func (w work) is(f *model.Field, value string) string {
	return w.Quote(f.Name) + " = " + w.QuoteText(value)
}

func (w work) name(f *model.Field) string { return w.Quote(f.Name) }

// update begins the change of a row's state.
func (w work) update(set string) *statement.Statement {
	s := w.Statement()
	s.Add("UPDATE %s\nSET %s", w.Quote(w.d.Name), set)
	return s
}

// leave begins the end of a claim.
func (w work) leave(s *statement.Statement, state string) {
	s.Add("%s, %s = NULL", w.is(w.q.State, state), w.name(w.w.Lease))
}

// end begins the end of a row's life in the queue.
func (w work) end(s *statement.Statement, state string) {
	w.leave(s, state)
	w.ended(s, "")
}

// ended notes when a row ended. A row that ends no longer holds its unique key,
// unless that holds for a time, but keeps it: one that is made ready again takes
// it back. Where only some rows end, when is the condition of that.
func (w work) ended(s *statement.Statement, when string) {
	w.completed(s, when)
	w.keyKept(s, when)
}

func (w work) completed(s *statement.Statement, when string) {
	if f := w.q.CompletedAt; f != nil {
		s.Add(", %s = ", w.name(f))
		s.When(when, w.name(f), func() { s.Add("%s", now(s, f)) })
	}
}

func (w work) keyKept(s *statement.Statement, when string) {
	if w.w.Unique != nil {
		until, yielded := w.name(w.w.UniqueUntil), w.name(w.w.Yielded)
		s.Add(", %s = ", until)
		s.When(when, until, func() { w.holdOn(s) })
		s.Add(", %s = ", yielded)
		s.When(when, yielded, func() { s.Add("%s", w.Literal(w.w.Yielded, "false")) })
	}
}

// holdOn is until when a row that ends goes on to hold its key: of a kind whose
// key holds for a time. What a debounced row has there is of its waiting.
func (w work) holdOn(s *statement.Statement) {
	var kinds []string
	for _, k := range w.q.Kinds {
		if u := k.Policy.Unique; u != nil && u.For > 0 {
			kinds = append(kinds, w.QuoteText(k.Name))
		}
	}
	u := w.q.Policy.Unique
	switch {
	case len(kinds) > 0:
		s.Add("CASE WHEN %s", w.OneOf(w.name(w.q.KindField), kinds))
		s.Add(" AND %s > %s", w.name(w.w.UniqueUntil), now(s, w.w.UniqueUntil))
	case len(w.q.Kinds) == 0 && u != nil && u.For > 0:
		s.Add("CASE WHEN %s > %s", w.name(w.w.UniqueUntil), now(s, w.w.UniqueUntil))
	default:
		s.Add("NULL")
		return
	}
	s.Add(" THEN %s ELSE NULL END", w.name(w.w.UniqueUntil))
}

// failure writes what went wrong.
func (w work) failure(s *statement.Statement) {
	s.Add(", %s = %s", w.name(w.q.Error), s.Arg(protocol.ArgError, w.q.Error))
	s.Add(", %s = %s", w.name(w.w.Errors), s.Arg(protocol.ArgErrors, w.w.Errors))
}

// later postpones a row and keeps it out of the claim's sight until then.
func (w work) later(s *statement.Statement) {
	s.Add(", %s = %s", w.name(w.q.RunAt), later(s, w.q.RunAt))
	s.Add(", %s = %s", w.name(w.w.Hold), s.Arg(protocol.ArgHold, w.w.Hold))
}

func (w work) uncount(s *statement.Statement) {
	s.Add(", %s = %s - 1", w.name(w.q.Attempts), w.name(w.q.Attempts))
}

func (w work) heartbeat(s *statement.Statement) {
	s.Add("%s = %s", w.name(w.w.Lease), later(s, w.w.Lease))
}

func (w work) done(s *statement.Statement) {
	w.end(s, w.q.Done)
	if f := w.q.DoneAt; f != nil {
		s.Add(", %s = %s", w.name(f), now(s, f))
	}
}

func (w work) finish(s *statement.Statement) {
	w.done(s)
	s.Add(", %s = %s", w.name(w.w.Result), s.Arg(protocol.ArgResult, w.w.Result))
}

func (w work) retry(s *statement.Statement) {
	w.leave(s, w.q.Ready)
	w.later(s)
	w.failure(s)
}

func (w work) snooze(s *statement.Statement) {
	w.leave(s, w.q.Ready)
	w.uncount(s)
	w.later(s)
	if w.q.Unknown != "" { // others have the statement as it was; Postpone's text is in their events alone
		s.Add(", %s = COALESCE(%s, %s)", w.name(w.q.Error), s.Arg(protocol.ArgError, w.q.Error), w.name(w.q.Error))
	}
}

func (w work) release(s *statement.Statement) {
	w.leave(s, w.q.Ready)
	w.uncount(s)
	s.Add(", %s = %s", w.name(w.w.Hold), s.Arg(protocol.ArgHold, w.w.Hold))
	s.Add(", %s = COALESCE(%s, %s)", w.name(w.q.Error), s.Arg(protocol.ArgError, w.q.Error), w.name(w.q.Error))
}

func (w work) deadLetter(s *statement.Statement) {
	w.end(s, w.q.Dead)
	w.failure(s)
}

func (w work) cancelRunning(s *statement.Statement) {
	w.end(s, w.gone())
	w.failure(s)
}

// beginOnce marks a claim, and renews its lease: a rescuer that has seen the old one takes
// the row no more, and one that sees the new one sees the mark.
func (w work) beginOnce(s *statement.Statement) {
	s.Add("%s = %s", w.name(w.w.Begun), w.name(w.w.Epoch))
	s.Add(", %s = %s", w.name(w.w.Lease), later(s, w.w.Lease))
}

// setUnknown ends a claim that may have done its work. The row holds its unique key as a
// running one does, so that no duplicate is added before a person has decided.
func (w work) setUnknown(s *statement.Statement) {
	w.leave(s, w.q.Unknown)
	w.completed(s, "")
	w.failure(s)
}

// gone is the state of a row that was cancelled.
func (w work) gone() string {
	if w.q.Cancelled != "" {
		return w.q.Cancelled
	}
	return w.q.Dead
}

func (w work) report(s *statement.Statement) {
	s.Add("%s = %s", w.name(w.w.Progress), s.Arg(protocol.ArgProgress, w.w.Progress))
	s.Add(", %s = %s", w.name(w.w.Note), s.Arg(protocol.ArgNote, w.w.Note))
}

// settle is a change that only the holder of the claim may make: it names the
// epoch, and changes no row once another has claimed it.
func (w work) settle(set func(*statement.Statement)) []model.Query {
	s := w.update("")
	set(s)
	s.Add("\nWHERE id = %s", s.Arg(protocol.ArgID, w.d.IDField()))
	s.Add(" AND %s = %s", w.name(w.w.Epoch), s.Arg(protocol.ArgEpoch, w.w.Epoch))
	s.Add(" AND %s", w.is(w.q.State, w.q.Running))
	return statement.One(s.Query(":execrows", nil))
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
// and returns the ids of those that it changed. MySQL takes their ids, from which
// lock has taken those of others. SQLite, whose statements cost no round trip,
// takes one after the other.
func (w work) held(set func(*statement.Statement), skip bool) []model.Query {
	switch w.Dialect {
	case sqltext.Postgres:
		s := w.update("")
		set(s)
		if skip {
			s.Add("\nWHERE id = ANY(ARRAY(\nSELECT due.id\nFROM %s AS due", w.Quote(w.d.Name))
			s.Add(", (SELECT unnest(%s::%s[]) AS _id", s.Arg(protocol.ArgIDs, nil), w.idType())
			s.Add(", unnest(%s::bigint[]) AS _epoch) AS %s", s.Arg(protocol.ArgEpochs, nil), given)
			s.Add("\nWHERE due.id = %s._id AND due.%s = %s._epoch", given, w.name(w.w.Epoch), given)
			s.Add(" AND due.%s\nFOR UPDATE OF due SKIP LOCKED\n))\nRETURNING id", w.is(w.q.State, w.q.Running))
			return statement.One(s.Query(":many", []*model.Field{w.d.IDField()}))
		}
		s.Add("\nFROM (SELECT unnest(%s::%s[]) AS _id", s.Arg(protocol.ArgIDs, nil), w.idType())
		s.Add(", unnest(%s::bigint[]) AS _epoch) AS %s", s.Arg(protocol.ArgEpochs, nil), given)
		table := w.Quote(w.d.Name)
		s.Add("\nWHERE %s.id = %s._id AND %s.%s = %s._epoch", table, given, table, w.name(w.w.Epoch), given)
		s.Add(" AND %s.%s\nRETURNING %s.id", table, w.is(w.q.State, w.q.Running), table)
		return statement.One(s.Query(":many", []*model.Field{w.d.IDField()}))
	case sqltext.MySQL:
		s := w.update("")
		set(s)
		s.Add("\nWHERE id IN (%s)", s.Arg(protocol.ArgID, w.d.IDField()))
		return statement.One(s.Query(":execrows", nil))
	}
	return w.settle(set)
}

// given is the alias of the claims that are passed as arguments. It and its columns
// are the names of no table and of no column of a definition, which begin with a
// letter: a column that does not name its table is the row's.
const given = "_claims"

func (w work) idType() string {
	if w.d.ID == model.IDULID {
		return "text"
	}
	return "bigint"
}

// lock is MySQL's way to change only what one still has: it locks claimed rows
// in the order of their ids, so that two who do it cannot wait for each other.
func (w work) lock() []model.Query {
	if w.Dialect != sqltext.MySQL {
		return nil
	}
	s := w.Statement()
	s.Add("SELECT id, %s\nFROM %s\nWHERE id IN (%s)", w.name(w.w.Epoch), w.Quote(w.d.Name), s.Arg(protocol.ArgID, w.d.IDField()))
	s.Add(" AND %s\nORDER BY id\nFOR UPDATE", w.is(w.q.State, w.q.Running))
	return statement.One(s.Query(":many", []*model.Field{w.d.IDField(), w.w.Epoch}))
}

// running lists the claims that there are, in no order: PostgreSQL and SQLite
// would go through the whole table for one by id. A row without a lease is no
// worker's: a person has set its state.
func (w work) running() []model.Query {
	columns := []*model.Field{w.d.IDField(), w.w.Epoch, w.w.Lease, w.q.Attempts, w.q.MaxAttempts, w.w.Errors}
	if w.w.Begun != nil {
		columns = append(columns, w.w.Begun)
	}
	s := w.Statement()
	s.Add("SELECT %s\nFROM %s\nWHERE %s", w.Dialect.Columns(statement.Names(columns)), w.Quote(w.d.Name), w.is(w.q.State, w.q.Running))
	s.Add(" AND %s IS NOT NULL", w.name(w.w.Lease))
	if w.Dialect == sqltext.SQLite { // which reads the whole table otherwise, not the few entries of the index
		s.Add(" AND %s > ''", w.name(w.w.Lease))
	}
	s.Add("\nLIMIT %s", s.Arg(protocol.ArgLimit, nil))
	return statement.One(s.Query(":many", columns))
}

// expire takes a claim from a worker that has not renewed it: the lease must
// still be the one that was seen. A row that somebody has locked is left for
// later, on MySQL by lock: a process that is frozen in a transaction must not
// keep the jobs of others from being taken over.
func (w work) expire() []model.Query {
	usedUp := fmt.Sprintf("%s >= %s", w.name(w.q.Attempts), w.name(w.q.MaxAttempts))
	s := w.update("")
	begun, ends, dies := "", usedUp, usedUp
	if w.w.Begun != nil {
		mark := fmt.Sprintf("%s = %s", w.name(w.w.Begun), w.name(w.w.Epoch))
		begun = fmt.Sprintf(" WHEN %s THEN %s", mark, w.QuoteText(w.q.Unknown))
		ends = fmt.Sprintf("%s OR %s", mark, usedUp)
		dies = fmt.Sprintf("%s <> %s AND %s", w.name(w.w.Begun), w.name(w.w.Epoch), usedUp)
	}
	s.Add("%s = CASE%s WHEN %s THEN %s ELSE %s END", w.name(w.q.State), begun, usedUp, w.QuoteText(w.q.Dead), w.QuoteText(w.q.Ready))
	s.Add(", %s = NULL, %s", w.name(w.w.Lease), w.is(w.w.Hold, ""))
	w.completed(s, ends)
	w.keyKept(s, dies)
	w.failure(s)
	seen := func(alias string) {
		s.Add("%sid = %s", alias, s.Arg(protocol.ArgID, w.d.IDField()))
		s.Add(" AND %s%s = %s", alias, w.name(w.w.Epoch), s.Arg(protocol.ArgEpoch, w.w.Epoch))
		s.Add(" AND %s%s AND (%s%s IS NULL OR %s%s = %s)", alias, w.is(w.q.State, w.q.Running),
			alias, w.name(w.w.Lease), alias, w.name(w.w.Lease), s.Arg(protocol.ArgLease, w.w.Lease))
	}
	s.Add("\nWHERE ")
	if w.Dialect == sqltext.Postgres {
		s.Add("id = ANY(ARRAY(\nSELECT due.id\nFROM %s AS due\nWHERE ", w.Quote(w.d.Name))
		seen("due.")
		s.Add("\nFOR UPDATE SKIP LOCKED\n))")
	} else {
		seen("")
	}
	return statement.One(s.Query(":execrows", nil))
}

// cancel ends a row whoever has it; its worker finds the claim gone.
func (w work) cancel() []model.Query {
	s := w.update("")
	w.end(s, w.gone())
	s.Add(", %s = COALESCE(%s, %s)", w.name(w.q.Error), s.Arg(protocol.ArgError, w.q.Error), w.name(w.q.Error))
	s.Add("\nWHERE id = %s", s.Arg(protocol.ArgID, w.d.IDField()))
	s.Add(" AND %s IN (%s, %s)", w.name(w.q.State), w.QuoteText(w.q.Ready), w.QuoteText(w.q.Running))
	if w.w.Begun != nil { // what has begun may be done: it is not called off
		s.Add(" AND (%s OR %s <> %s)", w.is(w.q.State, w.q.Ready), w.name(w.w.Begun), w.name(w.w.Epoch))
	}
	return statement.One(s.Query(":execrows", nil))
}

// retryEnded makes a row that has ended, or waits, ready at once, with all its attempts.
func (w work) retryEnded() []model.Query {
	s := w.update("")
	if w.w.Unique != nil && w.q.Unknown != "" { // it takes its key back; MySQL assigns from left to right
		yielded := w.name(w.w.Yielded)
		s.Add("%s = CASE WHEN %s THEN %s ELSE %s END, ", yielded, w.is(w.q.State, w.q.Unknown), w.Literal(w.w.Yielded, "false"), yielded)
	}
	s.Add("%s, %s = 0, %s", w.is(w.q.State, w.q.Ready), w.name(w.q.Attempts), w.is(w.w.Hold, ""))
	s.Add(", %s = %s", w.name(w.q.RunAt), now(s, w.q.RunAt))
	for _, f := range []*model.Field{w.q.CompletedAt, w.q.DoneAt} {
		if f != nil {
			s.Add(", %s = NULL", w.name(f))
		}
	}
	if w.w.Unique != nil { // a time that has passed would let the key go at once
		s.Add(", %s = CASE WHEN %s", w.name(w.w.UniqueUntil), w.name(w.w.UniqueUntil))
		s.Add(" > %s THEN %s ELSE NULL END", now(s, w.w.UniqueUntil), w.name(w.w.UniqueUntil))
	}
	s.Add("\nWHERE id = %s", s.Arg(protocol.ArgID, w.d.IDField()))
	s.Add(" AND %s <> %s", w.name(w.q.State), w.QuoteText(w.q.Running))
	return statement.One(s.Query(":execrows", nil))
}

// priority moves a waiting row, and its rank with it.
func (w work) priority() []model.Query {
	f, rank := w.q.Order[0].Field, w.name(w.w.Rank)
	s := w.update("")
	// MySQL assigns from left to right: the rank must see the old priority.
	s.Add("%s = %s", rank, rank)
	s.Add(" + %s", w.worth(func() string { return w.name(f) }))
	s.Add(" - %s", w.worth(func() string { return s.Cast(s.Arg(protocol.ArgPriority, f)) }))
	s.Add(", %s = %s", w.name(f), s.Arg(protocol.ArgPriority, f))
	s.Add("\nWHERE id = %s", s.Arg(protocol.ArgID, w.d.IDField()))
	return statement.One(s.Query(":execrows", nil))
}

// worth is how much waiting a priority makes up for, within bounds.
func (w work) worth(priority func() string) string {
	step := w.q.Ageing.Microseconds()
	most := int64(protocol.MostWaiting) / step
	return fmt.Sprintf("CASE WHEN %s > %d THEN %d WHEN %s < -%d THEN -%d ELSE %s * %d END",
		priority(), most, int64(protocol.MostWaiting), priority(), most, int64(protocol.MostWaiting), priority(), step)
}

// keyHolder finds and locks the row that holds a unique key.
func (w work) keyHolder() []model.Query {
	s := w.Statement()
	s.Add("SELECT %s\nFROM %s\nWHERE %s = %s", w.Dialect.Columns(statement.Names(w.d.Columns())), w.Quote(w.d.Name),
		w.name(w.w.Unique), s.Arg(protocol.ArgKey, w.w.Unique))
	s.Add(" AND %s", w.holding())
	if w.Dialect != sqltext.SQLite {
		s.Add("\nFOR UPDATE")
	}
	return statement.One(s.Query(":one", w.d.Columns()))
}

// holding is the condition of rows that hold their unique key, as the index of
// the key has it.
func (w work) holding() string {
	if w.Dialect == sqltext.MySQL {
		return w.Quote(w.w.Holds.WhenColumn()) + " = 1"
	}
	return w.Conditions(w.w.Holds.Where)
}

// releaseKey lets another row have the unique key, until this one is made ready
// again after its end.
func (w work) releaseKey() []model.Query {
	s := w.update("")
	s.Add("%s = NULL, ", w.name(w.w.UniqueUntil))
	var holding []string
	for _, state := range w.q.holding() {
		holding = append(holding, w.QuoteText(state))
	}
	s.Add("%s = CASE WHEN %s", w.name(w.w.Yielded), w.OneOf(w.name(w.q.State), holding))
	s.Add(" THEN %s ELSE %s END", w.Literal(w.w.Yielded, "true"), w.name(w.w.Yielded))
	s.Add("\nWHERE id = %s", s.Arg(protocol.ArgID, w.d.IDField()))
	return statement.One(s.Query(":execrows", nil))
}

// now is the moment of the statement, later that and the span.
func now(s *statement.Statement, f *model.Field) string { return s.Moment(protocol.ArgNow, f) }

func later(s *statement.Statement, f *model.Field) string {
	return s.After(protocol.ArgNow, protocol.ArgSpan, protocol.ArgUntil, f)
}
