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
	{"LockSequence", "event_lock_sequence", logSQL.lockSequence},
	{"SetSequence", "event_set_sequence", logSQL.setSequence},
	{"SetPosition", "event_set_position", logSQL.setPosition},
	{"Read", "event_read", logSQL.read},
	{"Prune", "event_prune", logSQL.prune},
	{"Topics", "event_topics", logSQL.topics},
	{"Least", "event_least", logSQL.least},
	{"First", "event_first", logSQL.first},
	{"AddCursor", "event_add_cursor", logSQL.addCursor},
	{"SetTopics", "event_set_topics", logSQL.setTopics},
	{"Remove", "event_remove", logSQL.remove},
	{"Claim", "event_claim", logSQL.claim},
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
			return statement.One(o.lower(logSQL{w, d, LogOf(d)}))
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

func (w logSQL) unsequenced() model.Query {
	s := w.Statement()
	s.Add("SELECT id\nFROM %s\nWHERE %s IS NULL\nORDER BY id\nLIMIT %s", w.Quote(w.d.Name), w.name(w.l.Position), s.Arg(protocol.ArgLimit, nil))
	return s.Query(":many", []*model.Field{w.d.IDField()})
}

// lockSequence reads the position of the cursor without a name.
func (w logSQL) lockSequence() model.Query {
	s := w.Statement()
	s.Add("SELECT %s\nFROM %s\nWHERE %s = ''", w.name(w.l.At), w.cursors(), w.name(w.l.Name))
	if w.Dialect != sqltext.SQLite {
		s.Add("\nFOR UPDATE")
	}
	return s.Query(":one", []*model.Field{w.l.At})
}

func (w logSQL) setSequence() model.Query {
	s := w.Statement()
	s.Add("UPDATE %s\nSET %s = %s\nWHERE %s = ''", w.cursors(), w.name(w.l.At), s.Arg(protocol.ArgPosition, w.l.At), w.name(w.l.Name))
	return s.Query(":execrows", nil)
}

func (w logSQL) setPosition() model.Query {
	s := w.Statement()
	s.Add("UPDATE %s\nSET %s = %s", w.Quote(w.d.Name), w.name(w.l.Position), s.Arg(protocol.ArgPosition, w.l.Position))
	s.Add("\nWHERE id = %s", s.Arg(protocol.ArgID, w.d.IDField()))
	return s.Query(":execrows", nil)
}

func (w logSQL) read() model.Query {
	l, s := w.l, w.Statement()
	columns := []*model.Field{l.Position, l.Event, l.Topic, l.Op, l.Row, l.Before, l.After, l.CreatedAt}
	s.Add("SELECT %s\nFROM %s", w.Dialect.Columns(statement.Names(columns)), w.Quote(w.d.Name))
	s.Add("\nWHERE %s > %s", w.name(l.Position), s.Arg(protocol.ArgPosition, l.Position))
	s.Add(" AND %s %s", w.name(l.Topic), s.Listed(protocol.ArgList, "text", l.Topic))
	s.Add("\nORDER BY %s\nLIMIT %s", w.name(l.Position), s.Arg(protocol.ArgLimit, nil))
	return s.Query(":many", columns)
}

// prune deletes events up to a position that are older than a moment.
func (w logSQL) prune() model.Query {
	l, s := w.l, w.Statement()
	old := func(alias string) {
		s.Add("\nWHERE %s%s <= %s", alias, w.name(l.Position), s.Arg(protocol.ArgPosition, l.Position))
		s.Add(" AND %s%s < %s", alias, w.name(l.CreatedAt), s.After(protocol.ArgNow, protocol.ArgSpan, protocol.ArgUntil, l.CreatedAt))
		s.Add("\nORDER BY %s%s\nLIMIT %s", alias, w.name(l.Position), s.Arg(protocol.ArgLimit, nil))
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
	s.Add("SELECT CAST(COALESCE(min(%s), 1) - 1 AS %s) AS position_before\nFROM %s", w.name(w.l.Position), w.integer(), w.Quote(w.d.Name))
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
	s.Add(" AND %s = %s", w.name(w.l.Epoch), s.Arg(protocol.ArgEpoch, w.l.Epoch))
	return s.Query(":execrows", nil)
}

func (w logSQL) setTopics() model.Query {
	s := w.set()
	s.Add("%s = %s", w.name(w.l.Topics), s.Arg(protocol.ArgTopics, w.l.Topics))
	w.byName(s)
	return s.Query(":execrows", nil)
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

func (w logSQL) cursor() model.Query {
	l, s := w.l, w.Statement()
	columns := []*model.Field{l.At, l.Epoch, l.Attempts}
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

func (w logSQL) advance() model.Query {
	l, s := w.l, w.set()
	s.Add("%s = %s, %s = 0, %s = NULL", w.name(l.At), s.Arg(protocol.ArgPosition, l.At), w.name(l.Attempts), w.name(l.Error))
	return w.own(s)
}

func (w logSQL) fail() model.Query {
	l, s := w.l, w.set()
	s.Add("%s = %s, ", w.name(l.Attempts), s.Arg(protocol.ArgAttempts, l.Attempts))
	s.Add("%s = %s", w.name(l.Error), s.Arg(protocol.ArgError, l.Error))
	return w.own(s)
}

func (w logSQL) release() model.Query {
	s := w.set()
	s.Add("%s = NULL", w.name(w.l.Lease))
	return w.own(s)
}

func (w logSQL) setAside() model.Query {
	f := w.l.Failures.Fields
	s := w.Statement()
	s.Add("INSERT INTO %s (%s)\nVALUES (", w.Quote(w.l.Failures.Name), w.Dialect.Columns(statement.Names(f)))
	for i, arg := range []int{
		protocol.ArgName, protocol.ArgEvent, protocol.ArgTopic, protocol.ArgOp, protocol.ArgRow, protocol.ArgPosition, protocol.ArgAttempts, protocol.ArgError,
	} {
		s.Add("%s, ", s.Arg(arg, f[i]))
	}
	s.Add("%s)", s.Moment(protocol.ArgNow, f[len(f)-1]))
	return s.Query(":execrows", nil)
}
