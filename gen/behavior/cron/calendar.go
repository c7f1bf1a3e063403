package cron

import (
	"fmt"

	"github.com/dave/jennifer/jen"

	"github.com/hegner123/modulagen/gen/behavior"
	"github.com/hegner123/modulagen/gen/behavior/adapter"
	"github.com/hegner123/modulagen/gen/dialect/statement"
	"github.com/hegner123/modulagen/gen/golang/code"
	"github.com/hegner123/modulagen/gen/goname"
	"github.com/hegner123/modulagen/gen/load/node"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/cron/protocol"
)

// calendarNeeds is what a datatype of calendars needs.
var calendarNeeds = []adapter.Need{adapter.Must("days", "textarea text", "required: true")}

// calendars finds the datatype of calendars, which is the one that the jobs' reference names.
func (l linker) calendars() {
	f := l.s.Jobs.Fields["calendar"]
	if f == nil || f.References == nil {
		return // reported, or jobs have none
	}
	to := node.Get(l.def.Node(f), "to")
	if Of(f.References) != nil {
		l.def.Wrong(to, fmt.Sprintf("%s refers to %s, whose rows are jobs and no calendars", f.Name, f.References.Name), "name another datatype, such as the built-in cron_calendar")
		return
	}
	if on := f.Reference.OnDelete; on != "restrict" {
		l.def.Wrong(node.Or(node.Get(l.def.Node(f), "on_delete"), to),
			fmt.Sprintf("%s has on_delete: %s, with which the database changes or deletes jobs without their instants being computed anew", f.Name, on), "write on_delete: restrict")
	}
	l.s.Calendars = adapter.Find(l.def, to, l.def.Other(to), adapter.Use{By: "calendars of cron", Needs: calendarNeeds})
}

// The columns that the behavior adds to calendars, and the last of them to their jobs too.
const (
	settledColumn  = "cron_days"
	revisionColumn = "cron_revision"
)

// calendarColumns are the columns that the behavior adds to calendars.
type calendarColumns struct {
	days     *model.Field // those that the revision is of; null is none: MySQL's long texts have no default
	revision *model.Field // another number for each text of days
}

// settle adds the columns of the section's calendars, once for all jobs that share them.
func (s *Section) settle(settled map[*model.Datatype]calendarColumns) {
	d := s.Calendars.Datatype
	if d == nil {
		return
	}
	if _, ok := settled[d]; !ok {
		days := s.Calendars.Fields["days"]
		kept := behavior.Text(settledColumn, "Settled days", days.Type, days.Rules.Max.String())
		kept.Secret, kept.Kept = days.Secret, true
		kept.Help = "The days that the revision is of. The runtime keeps them."
		settled[d] = calendarColumns{behavior.AddField(d, kept), behavior.AddField(d, revision())}
	}
	s.Settled = settled[d]
}

func revision() *model.Field {
	f := behavior.Number(revisionColumn, "Revision of the calendar", "0")
	f.Help = "Another number whenever the days of the calendar change. The runtime keeps it."
	f.Kept = true
	return f
}

// revise adds to jobs which revision of their calendar they are planned with.
func (s *Section) revise(d *model.Datatype) {
	if s.Calendars.Datatype != nil {
		s.Revision = behavior.AddField(d, revision())
	}
}

// checked has calendars checked when they are written, and the jobs looked at.
func (s *Section) checked(d *model.Datatype) {
	c := s.Calendars.Datatype
	if c == nil {
		return
	}
	c.Effects = append(c.Effects, model.Effect{
		On: model.Creates | model.Updates, Rows: true, Announce: d.Name,
		Run:    &model.Call{Package: schedulerPath, Func: "CheckCalendar", Args: []string{"&" + specName(d)}},
		Missed: "It writes " + c.Name + ", and nothing checks the days: what is wrong with them is found when jobs are planned.",
	})
	d.Names = append(d.Names, internal(d, calendarName(d)))
}

func calendarName(d *model.Datatype) string { return goname.Unexported(d.GoRow) + "Calendar" }

// revised adds to look the jobs whose calendar is another one than they were planned with, or whose
// calendar's days are not those of its revision: SQL has written either. The revisions are one list,
// which is read once a look.
func (w jobSQL) revised(s *statement.Statement) {
	t := w.s.Calendars
	if t.Datatype == nil {
		return
	}
	calendar, planned := w.name(w.field("calendar")), w.name(w.s.Revision)
	s.Add("\n  OR (%s IS NULL AND %s <> 0)", calendar, planned)
	s.Add("\n  OR (%s IS NOT NULL AND (%s, %s) NOT IN (SELECT id, %s FROM %s WHERE %s = COALESCE(%s, '')))", calendar, calendar, planned,
		w.name(w.s.Settled.revision), w.Quote(t.Name), w.name(t.Fields["days"]), w.name(w.s.Settled.days))
}

// settle sets a new revision for the days of a calendar, if both are still what was read: another process
// may have come first.
func (w jobSQL) settle() model.Query {
	t, own := w.s.Calendars, w.s.Settled
	days, s := t.Fields["days"], w.Statement()
	s.Add("UPDATE %s\nSET %s = %s, %s = %s", w.Quote(t.Name), w.name(own.days), s.Arg(protocol.ArgDays, own.days), w.name(own.revision), s.Arg(protocol.ArgRevision, own.revision))
	s.Add("\nWHERE id = %s AND %s = %s AND %s = %s", s.Arg(protocol.ArgID, t.IDField()), w.name(days), s.Arg(protocol.ArgDays, days),
		w.name(own.revision), s.Arg(protocol.ArgRevisionWas, own.revision))
	return s.Query(":execrows", nil)
}

var calendarParts = adapter.Parts("Days days", "Settled "+settledColumn, "Revision "+revisionColumn)

// table is the calendars with the columns that the behavior has added.
func (s *Section) table() adapter.Table {
	return with(s.Calendars, map[string]*model.Field{settledColumn: s.Settled.days, revisionColumn: s.Settled.revision})
}

// calendarReader prints how a calendar is read.
func (p printer) calendarReader(f *jen.File) {
	if p.s.Calendars.Datatype != nil {
		p.s.table().Reader(f, calendarName(p.D), scheduler("Calendar"), calendarParts)
	}
}

// calendars prints what package scheduler must know of them.
func (p printer) calendars(dict jen.Dict) {
	t := p.s.table()
	if t.Datatype == nil {
		return
	}
	row := scheduler("Calendar")
	dict[jen.Id("Calendars")] = jen.Lit(t.Name)
	dict[jen.Id("CalendarOf")] = t.Of(row.Clone(), calendarName(p.D))
	dict[jen.Id("ReadCalendars")] = jen.Func().Params(code.Ctx(), adapter.Conn(), jen.Id("calendars").Index().Int64()).
		Add(adapter.Seq(jen.Op("*").Add(row.Clone()))).Block(
		t.Bound(),
		jen.Id("ids").Op(":=").Make(jen.Index().Id(t.GoRow+"ID"), jen.Len(jen.Id("calendars"))),
		jen.For(jen.List(jen.Id("i"), jen.Id("id")).Op(":=").Range().Id("calendars")).Block(jen.Id("ids").Index(jen.Id("i")).Op("=").Add(t.ID(jen.Id("id")))),
		jen.Return(jen.Qual(adapter.RowsPath, "Each").Call(
			jen.Id("t").Dot("All").Call(jen.Id("ctx"), t.Query(jen.Id(t.GoRow+"Fields").Dot("ID").Dot("In").Call(jen.Id("ids").Op("...")))),
			jen.Id(calendarName(p.D)))),
	)
}
