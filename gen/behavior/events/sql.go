package events

import (
	"fmt"

	"github.com/hegner123/modulagen/gen/dialect/statement"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/event/protocol"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// operation is one of the log's, under the name that package feed has for it.
type operation struct {
	verb  string
	kind  model.OpKind
	lower func(logSQL) model.Query
}

var operations = []operation{
	{"Append", "event_append", logSQL.appendEvent},
	{"Unsequenced", "event_unsequenced", logSQL.unsequenced},
	{"Assign", "event_assign", logSQL.assign},
	{"Last", "event_last", logSQL.last},
	{"Read", "event_read", logSQL.read},
	{"Prune", "event_prune", logSQL.prune},
	{"Topics", "event_topics", logSQL.topics},
	{"Least", "event_least", logSQL.least},
	{"First", "event_first", logSQL.first},
	{"AddCursor", "event_add_cursor", logSQL.addCursor},
	{"SetTopics", "event_set_topics", logSQL.setTopics},
	{"Remove", "event_remove", logSQL.remove},
	{"Claim", "event_claim", logSQL.claim},
	{"StillHeld", "event_still_held", logSQL.stillHeld},
	{"Cursor", "event_cursor", logSQL.cursor},
	{"Renew", "event_renew", logSQL.renew},
	{"Advance", "event_advance", logSQL.advance},
	{"Fail", "event_fail", logSQL.fail},
	{"Release", "event_release", logSQL.release},
	{"SetAside", "event_set_aside", logSQL.setAside},
}

// logSQL writes the statements of the log.
type logSQL struct {
	statement.Writer
	d *model.Datatype
	l *Log
}

// Lower writes the query of one of the log's operations.
func (Behavior) Lower(w statement.Writer, d *model.Datatype, op *model.Operation) []model.Query {
	for _, o := range operations {
		if o.kind == op.Kind {
			q := o.lower(logSQL{w, d, LogOf(d)})
			if q.Text == "" { // this database has no need of it
				return nil
			}
			return statement.One(q)
		}
	}
	panic(fmt.Sprintf("events: there is no operation %q", op.Kind))
}

func (w logSQL) name(f *model.Field) string { return w.Quote(f.Name) }

func (w logSQL) cursors() string { return w.Quote(w.l.Cursors.Name) }

func (w logSQL) appendEvent() model.Query {
	l, s := w.l, w.Statement()
	s.Add("INSERT INTO %s (%s)\nVALUES (", w.Quote(w.d.Name), w.Dialect.Columns(statement.Names(
		[]*model.Field{l.Event, l.Topic, l.Op, l.Row, l.Before, l.After, l.CreatedAt})))
	s.Add("%s, %s, %s, ", s.Arg(protocol.ArgEvent, l.Event), s.Arg(protocol.ArgTopic, l.Topic), s.Arg(protocol.ArgOp, l.Op))
	s.Add("%s, %s, %s, ", s.Arg(protocol.ArgRow, l.Row), s.Arg(protocol.ArgBefore, l.Before), s.Arg(protocol.ArgAfter, l.After))
	s.Add("%s)", s.Moment(protocol.ArgNow, l.CreatedAt))
	return s.Query(":execrows", nil)
}

// unsequenced reads the events without a position, and the last one that was assigned: of
// the same moment. On SQLite, which has one writer, the id is the position.
func (w logSQL) unsequenced() model.Query {
	l, s := w.l, w.Statement()
	if w.Dialect == sqltext.SQLite {
		return model.Query{}
	}
	s.Add("SELECT e.id, c.%s\nFROM %s AS e\nJOIN %s AS c ON c.%s = ''", w.name(l.At), w.Quote(w.d.Name), w.cursors(), w.name(l.Name))
	s.Add("\nWHERE e.%s IS NULL\nORDER BY e.id\nLIMIT %s", w.name(l.Position), s.Arg(protocol.ArgLimit, nil))
	return s.Query(":many", []*model.Field{w.d.IDField(), l.At})
}

// assign moves the last position on from what it was when these events had none, and assigns
// them those in between, in one statement: no transaction waits for the program. It changes
// nothing when another process was first.
func (w logSQL) assign() model.Query {
	l, s := w.l, w.Statement()
	from := func() string { return s.Arg(protocol.ArgFrom, l.At) }
	switch w.Dialect {
	case sqltext.Postgres:
		s.Add("WITH moved AS (\nUPDATE %s AS c\nSET %s = %s", w.cursors(), w.name(l.At), s.Arg(protocol.ArgPosition, nil))
		s.Add("\nWHERE c.%s = '' AND c.%s = %s\nRETURNING c.id\n)\n", w.name(l.Name), w.name(l.At), from())
		s.Add("UPDATE %s AS e\nSET %s = %s::bigint", w.Quote(w.d.Name), w.name(l.Position), s.Arg(protocol.ArgFrom, nil))
		s.Add(" + array_position(%s::bigint[], e.id)", s.Arg(protocol.ArgList, nil))
		s.Add("\nWHERE e.id %s AND EXISTS (SELECT 1 FROM moved)", s.Listed(protocol.ArgList, "bigint", w.d.IDField()))
	case sqltext.MySQL:
		s.Add("UPDATE %s AS c\nCROSS JOIN %s AS e", w.cursors(), w.Quote(w.d.Name))
		s.Add("\nSET c.%s = %s, ", w.name(l.At), s.Arg(protocol.ArgPosition, l.At))
		s.Add("e.%s = %s", w.name(l.Position), s.Arg(protocol.ArgFrom, nil))
		s.Add(" + FIELD(e.id, %s)", s.Arg(protocol.ArgList, nil))
		s.Add("\nWHERE c.%s = '' AND c.%s = %s", w.name(l.Name), w.name(l.At), from())
		s.Add(" AND e.id %s", s.Listed(protocol.ArgList, "", w.d.IDField()))
	}
	return s.Query(":execrows", nil)
}

// last is the last position that was assigned.
func (w logSQL) last() model.Query {
	s := w.Statement()
	if w.Dialect == sqltext.SQLite {
		s.Add("SELECT CAST(COALESCE(max(id), 0) AS INTEGER) AS last_position\nFROM %s", w.Quote(w.d.Name))
		return s.Query(":one", []*model.Field{nil})
	}
	s.Add("SELECT %s\nFROM %s\nWHERE %s = ''", w.name(w.l.At), w.cursors(), w.name(w.l.Name))
	return s.Query(":one", []*model.Field{w.l.At})
}

// position is the column of an event's place in the log.
func (w logSQL) position() *model.Field {
	if w.Dialect == sqltext.SQLite {
		return w.d.IDField()
	}
	return w.l.Position
}

func (w logSQL) read() model.Query {
	l, position, s := w.l, w.position(), w.Statement()
	columns := []*model.Field{position, l.Event, l.Topic, l.Op, l.Row, l.Before, l.After, l.CreatedAt}
	s.Add("SELECT %s\nFROM %s", w.Dialect.Columns(statement.Names(columns)), w.Quote(w.d.Name))
	s.Add("\nWHERE %s > %s", w.name(position), s.Arg(protocol.ArgPosition, position))
	s.Add(" AND %s %s", w.name(l.Topic), s.Listed(protocol.ArgList, "text", l.Topic))
	s.Add("\nORDER BY %s\nLIMIT %s", w.name(position), s.Arg(protocol.ArgLimit, nil))
	return s.Query(":many", columns)
}

// prune deletes events up to a position that are older than a moment.
func (w logSQL) prune() model.Query {
	l, position, s := w.l, w.position(), w.Statement()
	old := func(alias string) {
		s.Add("\nWHERE %s%s <= %s", alias, w.name(position), s.Arg(protocol.ArgPosition, position))
		s.Add(" AND %s%s < %s", alias, w.name(l.CreatedAt), s.After(protocol.ArgNow, protocol.ArgSpan, protocol.ArgUntil, l.CreatedAt))
		s.Add("\nORDER BY %s%s\nLIMIT %s", alias, w.name(position), s.Arg(protocol.ArgLimit, nil))
	}
	table := w.Quote(w.d.Name)
	s.Add("DELETE FROM %s", table)
	if w.Dialect == sqltext.MySQL {
		old("")
		return s.Query(":execrows", nil)
	}
	s.Add("\nWHERE id IN (\nSELECT e.id\nFROM %s AS e", table)
	old("e.")
	s.Add("\n)")
	return s.Query(":execrows", nil)
}

func (w logSQL) topics() model.Query {
	s := w.Statement()
	s.Add("SELECT %s\nFROM %s\nWHERE %s <> ''", w.name(w.l.Topics), w.cursors(), w.name(w.l.Name))
	return s.Query(":many", []*model.Field{w.l.Topics})
}

// integer is how a database calls what a cast makes of a number.
func (w logSQL) integer() string {
	return [...]string{sqltext.SQLite: "INTEGER", sqltext.Postgres: "bigint", sqltext.MySQL: "SIGNED"}[w.Dialect]
}

// least is the position that every subscription is past, the last one included.
func (w logSQL) least() model.Query {
	s := w.Statement()
	s.Add("SELECT CAST(COALESCE(min(%s), 0) AS %s) AS least_position\nFROM %s", w.name(w.l.At), w.integer(), w.cursors())
	return s.Query(":one", []*model.Field{nil})
}

// first is the position before the oldest event that has one.
func (w logSQL) first() model.Query {
	s := w.Statement()
	s.Add("SELECT CAST(COALESCE(min(%s), 1) - 1 AS %s) AS position_before\nFROM %s", w.name(w.position()), w.integer(), w.Quote(w.d.Name))
	return s.Query(":one", []*model.Field{nil})
}

func (w logSQL) addCursor() model.Query {
	l, s := w.l, w.Statement()
	insert, end := w.InsertNew(l.Name)
	s.Add("%s INTO %s (%s)\nVALUES (", insert, w.cursors(), w.Dialect.Columns(statement.Names(
		[]*model.Field{l.Name, l.Topics, l.At, l.Epoch, l.Attempts, l.SeenAt})))
	s.Add("%s, %s, %s, ", s.Arg(protocol.ArgName, l.Name), s.Arg(protocol.ArgTopics, l.Topics), s.Arg(protocol.ArgPosition, l.At))
	s.Add("%s, 0, ", s.Arg(protocol.ArgEpoch, l.Epoch))
	s.Add("%s)%s", s.Moment(protocol.ArgNow, l.SeenAt), end)
	return s.Query(":execrows", nil)
}

// set begins an UPDATE of a cursor.
func (w logSQL) set() *statement.Statement {
	s := w.Statement()
	s.Add("UPDATE %s\nSET ", w.cursors())
	return s
}

func (w logSQL) byName(s *statement.Statement) {
	s.Add("\nWHERE %s = %s", w.name(w.l.Name), s.Arg(protocol.ArgName, w.l.Name))
}

// own ends an UPDATE of a cursor that its claim must still be of.
func (w logSQL) own(s *statement.Statement) model.Query {
	w.byName(s)
	return w.ofClaim(s)
}

func (w logSQL) ofClaim(s *statement.Statement) model.Query {
	s.Add(" AND %s = %s", w.name(w.l.Epoch), s.Arg(protocol.ArgEpoch, w.l.Epoch))
	return s.Query(":execrows", nil)
}

// setTopics replaces the topics of a cursor, unless they are others by now.
func (w logSQL) setTopics() model.Query {
	s := w.set()
	s.Add("%s = %s", w.name(w.l.Topics), s.Arg(protocol.ArgTopics, w.l.Topics))
	w.byName(s)
	w.topicsWere(s)
	return s.Query(":execrows", nil)
}

func (w logSQL) topicsWere(s *statement.Statement) {
	s.Add(" AND %s = %s", w.name(w.l.Topics), s.Arg(protocol.ArgTopicsWere, w.l.Topics))
}

func (w logSQL) remove() model.Query {
	s := w.Statement()
	s.Add("DELETE FROM %s", w.cursors())
	w.byName(s)
	return s.Query(":execrows", nil)
}

// leased sets the lease to a span from now.
func (w logSQL) leased(s *statement.Statement) {
	s.Add("%s = %s", w.name(w.l.Lease), s.After(protocol.ArgNow, protocol.ArgSpan, protocol.ArgUntil, w.l.Lease))
}

func (w logSQL) claim() model.Query {
	l, s := w.l, w.set()
	s.Add("%s = %s + 1, ", w.name(l.Epoch), w.name(l.Epoch))
	w.leased(s)
	w.byName(s)
	s.Add(" AND (%s IS NULL OR %s <= %s)", w.name(l.Lease), w.name(l.Lease), s.Moment(protocol.ArgNow, l.Lease))
	return s.Query(":execrows", nil)
}

// stillHeld finds a cursor that no other process has claimed. On SQLite a handler's transaction
// keeps all others from writing: those that would claim the cursor, and the one that renews its lease.
func (w logSQL) stillHeld() model.Query {
	s := w.Statement()
	if w.Dialect != sqltext.SQLite {
		return model.Query{}
	}
	s.Add("SELECT %s\nFROM %s", w.name(w.l.Epoch), w.cursors())
	w.byName(s)
	s.Add(" AND %s = %s", w.name(w.l.Epoch), s.Arg(protocol.ArgEpoch, w.l.Epoch))
	return s.Query(":one", []*model.Field{w.l.Epoch})
}

func (w logSQL) cursor() model.Query {
	l, s := w.l, w.Statement()
	columns := []*model.Field{l.Topics, l.At, l.Epoch, l.Attempts, l.Failed}
	s.Add("SELECT %s\nFROM %s", w.Dialect.Columns(statement.Names(columns)), w.cursors())
	w.byName(s)
	return s.Query(":one", columns)
}

func (w logSQL) renew() model.Query {
	s := w.set()
	w.leased(s)
	s.Add(", %s = %s", w.name(w.l.SeenAt), s.Moment(protocol.ArgNow, w.l.SeenAt))
	return w.own(s)
}

// advance forgets a failure that the cursor is past.
func (w logSQL) advance() model.Query {
	l, s := w.l, w.set()
	ahead := func() string {
		return fmt.Sprintf("%s > %s", w.name(l.Failed), s.Arg(protocol.ArgPosition, l.Failed))
	}
	s.Add("%s = %s, %s = %s", w.name(l.At), s.Arg(protocol.ArgPosition, l.At), w.name(l.Topics), s.Arg(protocol.ArgTopics, l.Topics))
	s.Add(", %s = CASE WHEN %s THEN %s ELSE 0 END", w.name(l.Attempts), ahead(), w.name(l.Attempts))
	s.Add(", %s = CASE WHEN %s THEN %s ELSE NULL END", w.name(l.Error), ahead(), w.name(l.Error))
	w.byName(s)
	w.topicsWere(s)
	return w.ofClaim(s)
}

func (w logSQL) fail() model.Query {
	l, s := w.l, w.set()
	s.Add("%s = %s, ", w.name(l.Failed), s.Arg(protocol.ArgPosition, l.Failed))
	s.Add("%s = %s, ", w.name(l.Attempts), s.Arg(protocol.ArgAttempts, l.Attempts))
	s.Add("%s = %s", w.name(l.Error), s.Arg(protocol.ArgError, l.Error))
	return w.own(s)
}

func (w logSQL) release() model.Query {
	s := w.set()
	s.Add("%s = NULL", w.name(w.l.Lease))
	return w.own(s)
}

// setAside adds a failure, unless it is there, for the process that has the cursor.
func (w logSQL) setAside() model.Query {
	f := w.l.Failures.Fields
	s := w.Statement()
	insert, end := w.InsertNew(f[0], f[1])
	s.Add("%s INTO %s (%s)\nSELECT ", insert, w.Quote(w.l.Failures.Name), w.Dialect.Columns(statement.Names(f)))
	for i, arg := range []int{
		protocol.ArgName, protocol.ArgEvent, protocol.ArgTopic, protocol.ArgOp, protocol.ArgRow, protocol.ArgPosition, protocol.ArgAttempts, protocol.ArgError,
	} {
		s.Add("%s AS %s, ", s.Arg(arg, f[i]), w.name(f[i]))
	}
	last := f[len(f)-1]
	s.Add("%s AS %s\nFROM %s AS c", s.Moment(protocol.ArgNow, last), w.name(last), w.cursors())
	s.Add("\nWHERE c.%s = %s AND c.%s = %s", w.name(w.l.Name), s.Arg(protocol.ArgName, w.l.Name), w.name(w.l.Epoch), s.Arg(protocol.ArgEpoch, w.l.Epoch))
	s.Add("%s", end)
	return s.Query(":execrows", nil)
}
