package cron

import (
	"fmt"
	"slices"

	"github.com/hegner123/modulagen/gen/behavior/queue"
	"github.com/hegner123/modulagen/gen/dialect/statement"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/cron/protocol"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// operation is one of the jobs', under the name that package scheduler has for it.
type operation struct {
	verb  string
	kind  model.OpKind
	lower func(jobSQL) model.Query
}

var operations = []operation{
	{"Look", "cron_look", jobSQL.look},
	{"Take", "cron_take", jobSQL.take},
	{"Hold", "cron_hold", jobSQL.hold},
	{"Plan", "cron_plan", jobSQL.plan},
	{"Move", "cron_move", jobSQL.move},
	{"End", "cron_end", jobSQL.end},
	{"Disable", "cron_disable", jobSQL.disable},
}

// settling is the one that jobs with calendars have besides.
var settling = operation{"Settle", "cron_settle", jobSQL.settle}

func (s *Section) operations() []operation {
	if s.Calendars.Datatype == nil {
		return operations
	}
	return append(slices.Clone(operations), settling)
}

// jobSQL writes the statements on jobs.
type jobSQL struct {
	statement.Writer
	d *model.Datatype
	s *Section
}

// Lower writes the query of one of the operations.
func (Behavior) Lower(w statement.Writer, d *model.Datatype, op *model.Operation) []model.Query {
	for _, o := range Of(d).operations() {
		if o.kind == op.Kind {
			return statement.One(o.lower(jobSQL{w, d, Of(d)}))
		}
	}
	panic(fmt.Sprintf("cron: there is no operation %q", op.Kind))
}

func (w jobSQL) name(f *model.Field) string { return w.Quote(f.Name) }

func (w jobSQL) field(role string) *model.Field { return w.s.Jobs.Fields[role] }

// enabled is the condition of jobs that run, or of those that do not.
func (w jobSQL) enabled(is string) string {
	f := w.field("enabled")
	return fmt.Sprintf("%s = %s", w.name(f), w.Literal(f, is))
}

// look finds the jobs that are due up to an instant, those whose schedule, zone or calendar is not
// the one that their next instant was computed from, and disabled ones that still have one.
func (w jobSQL) look() model.Query {
	s, next := w.Statement(), w.field("next_run")
	s.Add("SELECT id, %s\nFROM %s\nWHERE (%s AND (%s <= %s OR %s <> %s", w.name(next), w.Quote(w.d.Name), w.enabled("true"),
		w.name(next), s.Arg(protocol.ArgUntil, next), w.name(w.s.Planned), w.name(w.field("schedule")))
	s.Add("\n  OR %s <> %s", w.name(w.s.PlannedZone), w.zone(s))
	w.revised(s)
	s.Add("))")
	s.Add("\n  OR (%s AND %s <> '')", w.enabled("false"), w.name(w.s.Planned))
	s.Add("\nORDER BY %s, id\nLIMIT %s", w.name(next), s.Arg(protocol.ArgLimit, nil))
	return s.Query(":many", []*model.Field{w.d.IDField(), next})
}

// zone is the zone that a job's schedule is meant in: its own, or that of the process.
func (w jobSQL) zone(s *statement.Statement) string {
	process := s.Arg(protocol.ArgZone, w.s.PlannedZone)
	own := w.field("time_zone")
	switch {
	case own == nil:
		return process
	case own.NotNull:
		return fmt.Sprintf("CASE WHEN %s = '' THEN %s ELSE %s END", w.name(own), process, w.name(own))
	}
	return fmt.Sprintf("CASE WHEN COALESCE(%s, '') = '' THEN %s ELSE %s END", w.name(own), process, w.name(own))
}

// take locks jobs and reads them, but for those that another transaction has: that one sees to
// them.
func (w jobSQL) take() model.Query {
	s := w.Statement()
	s.Add("SELECT %s\nFROM %s\nWHERE id %s\nORDER BY id", w.Dialect.Columns(statement.Names(w.d.Columns())), w.Quote(w.d.Name),
		s.Listed(protocol.ArgIDs, "bigint", w.d.IDField()))
	if w.Dialect != sqltext.SQLite {
		s.Add("\nFOR UPDATE SKIP LOCKED")
	}
	return s.Query(":many", w.d.Columns())
}

// hold locks runs that are to be replaced and reads their states, but for those that another
// transaction has: it writes how they ended, and then waits for their jobs, which are locked here.
func (w jobSQL) hold() model.Query {
	runs, state, waits := w.s.Runs.Datatype, queue.Of(w.s.Runs.Datatype).State, w.s.Runs.Fields["waits"]
	s := w.Statement()
	s.Add("SELECT id, %s, %s\nFROM %s\nWHERE id %s\nORDER BY id", w.name(state), w.name(waits), w.Quote(runs.Name), s.Listed(protocol.ArgIDs, "bigint", runs.IDField()))
	if w.Dialect != sqltext.SQLite {
		s.Add("\nFOR UPDATE SKIP LOCKED")
	}
	return s.Query(":many", []*model.Field{runs.IDField(), state, waits})
}

// set adds an assignment of an argument, for a field that the datatype may lack.
func (w jobSQL) set(s *statement.Statement, f *model.Field, arg int) {
	if f != nil {
		s.Add(", %s = %s", w.name(f), s.Arg(arg, f))
	}
}

// planned begins an update that sets the next instant and what it was computed from.
func (w jobSQL) planned() *statement.Statement {
	s, next := w.Statement(), w.field("next_run")
	s.Add("UPDATE %s\nSET %s = %s", w.Quote(w.d.Name), w.name(next), s.Arg(protocol.ArgNext, next))
	w.set(s, w.s.Planned, protocol.ArgSchedule)
	w.set(s, w.s.PlannedZone, protocol.ArgZone)
	w.set(s, w.s.Revision, protocol.ArgRevision)
	return s
}

func (w jobSQL) one(s *statement.Statement) {
	s.Add("\nWHERE id = %s", s.Arg(protocol.ArgID, w.d.IDField()))
}

// listed has a statement change the jobs of a list.
func (w jobSQL) listed(s *statement.Statement) {
	s.Add("\nWHERE id %s", s.Listed(protocol.ArgIDs, "bigint", w.d.IDField()))
}

// plan sets the next instant of jobs whose schedules are new.
func (w jobSQL) plan() model.Query {
	s := w.planned()
	w.set(s, w.field("last_status"), protocol.ArgStatus)
	w.set(s, w.field("error"), protocol.ArgError)
	w.listed(s)
	return s.Query(":execrows", nil)
}

// move moves jobs to their next instant, if they are still at the one that was read. MySQL must not
// look for that one in its index: it would lock the jobs of the instant that are none of these.
func (w jobSQL) move() model.Query {
	s, next, count := w.planned(), w.field("next_run"), w.field("run_count")
	w.set(s, w.field("last_run"), protocol.ArgRan)
	w.set(s, w.field("last_status"), protocol.ArgStatus)
	w.set(s, w.field("error"), protocol.ArgError)
	s.Add(", %s = %s + %s", w.name(count), w.name(count), s.Cast(s.Arg(protocol.ArgRuns, nil)))
	w.listed(s)
	was := w.name(next)
	if w.Dialect == sqltext.MySQL {
		was = "COALESCE(" + was + ")"
	}
	s.Add(" AND %s = %s", was, s.Arg(protocol.ArgWas, next))
	return s.Query(":execrows", nil)
}

// end writes how runs of jobs ended. PostgreSQL locks the jobs in the order of their ids, as the
// others do by themselves, so that two of these statements cannot wait for one another.
func (w jobSQL) end() model.Query {
	s, status := w.Statement(), w.field("last_status")
	s.Add("UPDATE %s\nSET %s = %s", w.Quote(w.d.Name), w.name(status), s.Arg(protocol.ArgStatus, status))
	w.set(s, w.field("error"), protocol.ArgError)
	if f := w.field("failures"); f != nil {
		s.Add(", %s = %s * %s", w.name(f), w.name(f), s.Cast(s.Arg(protocol.ArgKept, nil)))
		s.Add(" + %s", s.Cast(s.Arg(protocol.ArgFailed, nil)))
	}
	if w.Dialect == sqltext.Postgres {
		s.Add("\nWHERE id = ANY(ARRAY(\nSELECT due.id\nFROM %s AS due\nWHERE due.id %s\nORDER BY due.id\nFOR NO KEY UPDATE\n))",
			w.Quote(w.d.Name), s.Listed(protocol.ArgIDs, "bigint", w.d.IDField()))
	} else {
		w.listed(s)
	}
	return s.Query(":execrows", nil)
}

// disable ends a job's instants, with the reason.
func (w jobSQL) disable() model.Query {
	s, enabled := w.planned(), w.field("enabled")
	s.Add(", %s = %s", w.name(enabled), w.Literal(enabled, "false"))
	w.set(s, w.field("error"), protocol.ArgError)
	w.one(s)
	return s.Query(":execrows", nil)
}
