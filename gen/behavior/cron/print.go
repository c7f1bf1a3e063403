package cron

import (
	"cmp"
	"maps"
	"slices"

	"github.com/dave/jennifer/jen"

	"github.com/hegner123/modulagen/gen/behavior/adapter"
	"github.com/hegner123/modulagen/gen/behavior/queue"
	"github.com/hegner123/modulagen/gen/golang/code"
	"github.com/hegner123/modulagen/gen/model"
)

// The packages that generated code of cron names.
const (
	cronPath      = "github.com/hegner123/modulagen/runtime/cron"
	schedulerPath = cronPath + "/scheduler"
	projectPath   = cronPath + "/project"
)

// field is the field of Workers that has schedules fired and runs worked, of every datatype of jobs.
const field = "Cron"

// Imports names packages cron, scheduler and project.
func (Behavior) Imports() map[string]string {
	out := map[string]string{cronPath: "cron", schedulerPath: "scheduler", projectPath: "project"}
	maps.Copy(out, adapter.Imports)
	return out
}

func scheduler(name string) *jen.Statement { return jen.Qual(schedulerPath, name) }

// worked is how the queue of runs is worked: meanwhile jobs are fired.
func worked(jobs, runs *model.Datatype) *queue.Worked {
	return &queue.Worked{
		Field: field, Type: jen.Qual(cronPath, "Worker"),
		Runner: func() jen.Code {
			return scheduler("Runner").Call(
				jen.Id("db").Dot("store"), jen.Op("&").Id(specName(jobs)), jen.Op("&").Id(queue.QueueName(runs)), jen.Id(runName(jobs)),
				jen.Id("w").Dot(field))
		},
	}
}

// Which fields of the structs of package scheduler have which columns.
var (
	jobParts = adapter.Parts(
		"Name name", "Schedule schedule", "Zone time_zone", "Enabled enabled", "ActionType action_type", "ActionConfig action_config",
		"LastRun last_run", "NextRun next_run", "RunCount run_count", "LastStatus last_status", "Error error", "Misfire misfire", "Overlap overlap", "Jitter jitter",
		"StartsAt starts_at", "EndsAt ends_at", "Exclude exclude", "Timeout timeout", "MaxAttempts max_attempts", "Failures failures",
		"MaxFailures max_failures", "PingURL ping_url", "Planned "+plannedColumn, "PlannedZone "+plannedZoneColumn,
		"Calendar calendar", "Revision "+revisionColumn,
	)
	runParts = adapter.Parts(
		"Job job_id", "JobName job_name", "Due due_at", "Trigger triggered_by", "ActionType action_type", "ActionConfig action_config", "Timeout timeout",
		"Waits waits",
	)
	readParts = append(slices.Clone(runParts), adapter.Parts("Status status", "Error error", "MaxAttempts max_attempts")...)
)

// Datatype prints how package scheduler reads and writes jobs and runs.
func (Behavior) Datatype(f *jen.File, t code.Table) {
	s := Of(t.D)
	q := queue.Of(s.Runs.Datatype)
	p := printer{
		Table: t, s: s, q: q,
		jobs: with(s.Jobs, map[string]*model.Field{plannedColumn: s.Planned, plannedZoneColumn: s.PlannedZone, revisionColumn: s.Revision}),
		runs: with(s.Runs, map[string]*model.Field{"status": q.State, "error": q.Error, "max_attempts": q.MaxAttempts, "ended_at": q.CompletedAt}),
	}
	p.jobs.Reader(f, jobName(t.D), scheduler("Job"), jobParts)
	p.runs.Reader(f, runName(t.D), scheduler("RunRow"), readParts)
	p.calendarReader(f)
	p.spec(f)
	p.project(f)
	p.declared(f)
	p.methods(f)
}

// with is a table with more fields; those that are nil are left out.
func with(t adapter.Table, more map[string]*model.Field) adapter.Table {
	fields := maps.Clone(t.Fields)
	for name, f := range more {
		if f != nil {
			fields[name] = f
		}
	}
	return adapter.Table{Datatype: t.Datatype, Fields: fields}
}

// printer prints one datatype of jobs.
type printer struct {
	code.Table
	s          *Section
	q          *queue.Section
	jobs, runs adapter.Table
}

// spec prints what package scheduler must know.
func (p printer) spec(f *jen.File) {
	runs := p.s.Runs.Datatype
	run := func() *jen.Statement { return scheduler("RunRow") }
	dict := jen.Dict{
		jen.Id("Jobs"):    jen.Lit(p.D.Name),
		jen.Id("Runs"):    jen.Lit(runs.Name),
		jen.Id("Rows"):    p.jobs.Spec(),
		jen.Id("Blank"):   jen.Func().Params().Any().Block(jen.Return(jen.New(jen.Id(p.D.GoRow + "New")))),
		jen.Id("Columns"): p.columns(),
		jen.Id("States"): scheduler("States").Values(jen.Dict{
			jen.Id("Ready"): jen.Lit(p.q.Ready), jen.Id("Running"): jen.Lit(p.q.Running), jen.Id("Done"): jen.Lit(p.q.Done),
			jen.Id("Dead"): jen.Lit(p.q.Dead), jen.Id("Cancelled"): jen.Lit(p.q.Cancelled),
		}),
		jen.Id("Taken"):   p.taken(),
		jen.Id("JobOf"):   p.jobs.Of(scheduler("Job"), jobName(p.D)),
		jen.Id("RunOf"):   p.runs.Of(run(), runName(p.D)),
		jen.Id("Enqueue"): p.runs.Create(run(), "EnqueueMany", p.runs.Row("New", p.newRun(false)), true),
		jen.Id("Add"):     p.runs.Create(run(), "CreateMany", p.runs.Row("New", p.newRun(true)), true),
		jen.Id("Live"):    p.live(),
		jen.Id("Between"): p.between(),
		jen.Id("Earlier"): p.earlier(),
		jen.Id("Project"): jen.Id(projectName(p.D)),
		jen.Id("Ending"):  p.ending(),
		jen.Id("SetWaits"): jen.Func().Params(code.Ctx(), adapter.Conn(), jen.Id("id").Int64(), jen.Id("waits").Bool()).Error().Block(
			p.patch("waits", "waits")...),
		jen.Id("Begin"): p.begin(),
		jen.Id("Cancel"): jen.Func().Params(code.Ctx(), adapter.Conn(), jen.Id("id").Int64()).Error().Block(
			p.runs.Bound(), jen.Return(jen.Id("t").Dot("Cancel").Call(jen.Id("ctx"), p.runs.ID(jen.Id("id"))))),
	}
	p.calendars(dict)
	for _, op := range p.s.operations() {
		dict[jen.Id(op.verb)] = p.Statement(op.verb + p.D.GoRow)
	}
	if output := p.runs.Fields["output"]; output != nil {
		dict[jen.Id("SetOutput")] = p.setOutput(output)
	}
	f.Var().Id(specName(p.D)).Op("=").Add(scheduler("Spec")).Values(dict)
	f.Line()
}

// columns prints the numbers of the columns of jobs, by the names of what they are for.
func (p printer) columns() jen.Code {
	numbers := jen.Dict{}
	for role, field := range p.jobs.Fields {
		numbers[jen.Lit(role)] = jen.Lit(p.Position(field))
	}
	return jen.Map(jen.String()).Int().Values(numbers)
}

// taken prints the reading of jobs by a statement.
func (p printer) taken() jen.Code {
	row := func() *jen.Statement { return jen.Id(p.D.GoRow) }
	job := func() *jen.Statement { return jen.Op("*").Add(scheduler("Job")) }
	return jen.Func().Params(code.Ctx(), adapter.Conn(), jen.Id("st").Op("*").Add(code.Core("Statement")), jen.Id("args").Index().Any()).
		Params(jen.Index().Add(job()), jen.Error()).Block(
		jen.List(jen.Id("list"), jen.Err()).Op(":=").Add(code.Core("Many")).Call(jen.Id("ctx"), jen.Id("c"), jen.Id("st"), jen.Id("args"),
			jen.Func().Params(jen.Id("r").Op("*").Add(row())).Index().Any().Block(jen.Return(jen.Id(p.Fields()).Call(jen.Id("r"), jen.Nil())))),
		jen.Id("jobs").Op(":=").Make(jen.Index().Add(job()), jen.Len(jen.Id("list"))),
		jen.For(jen.Id("i").Op(":=").Range().Id("list")).Block(
			jen.Id("jobs").Index(jen.Id("i")).Op("=").Id(jobName(p.D)).Call(jen.Op("&").Id("list").Index(jen.Id("i")))),
		jen.Return(jen.Id("jobs"), jen.Err()),
	)
}

// newRun is a row of the queue, of the struct d: one that waits, or one that has ended.
func (p printer) newRun(ended bool) map[*model.Field]jen.Code {
	values := p.runs.Values(runParts)
	values[p.q.MaxAttempts] = code.Given(p.q.MaxAttempts, jen.Id("d").Dot("MaxAttempts"))
	if !ended {
		return values
	}
	values[p.q.State] = code.Given(p.q.State, jen.Id("d").Dot("Status"))
	values[p.q.Error] = jen.Qual(adapter.RowsPath, "Opt").Call(jen.Id("d").Dot("Error"))
	values[p.q.CompletedAt] = code.Given(p.q.CompletedAt, jen.Id("c").Dot("DB").Call().Dot("Clock").Call())
	if output := p.runs.Fields["output"]; output != nil {
		values[output] = jen.Qual(adapter.RowsPath, "Opt").Call(jen.Id("d").Dot("Output"))
	}
	return values
}

// begin prints the removal of the mark of a run that has waited and is still under way.
func (p printer) begin() jen.Code {
	t := p.runs
	return jen.Func().Params(code.Ctx(), adapter.Conn(), jen.Id("id").Int64()).Error().Block(
		t.Bound(),
		jen.List(jen.Id("_"), jen.Err()).Op(":=").Id("t").Dot("UpdateIf").Call(jen.Id("ctx"), t.ID(jen.Id("id")),
			t.Is("status", "Eq", code.Option(p.q.State, p.q.Running)),
			jen.Id(t.GoRow+"Patch").Values(jen.Dict{jen.Id(t.Fields["waits"].GoName): code.Store("Set").Call(jen.False())})),
		jen.Return(jen.Err()),
	)
}

// live prints the reading of the runs of jobs that wait or are under way.
func (p printer) live() jen.Code {
	t := p.runs
	return jen.Func().Params(code.Ctx(), adapter.Conn(), jen.Id("jobs").Index().Int64()).Add(adapter.Seq(jen.Op("*").Add(scheduler("RunRow")))).Block(
		t.Bound(),
		jen.Id("ids").Op(":=").Make(jen.Index().Id(p.D.GoRow+"ID"), jen.Len(jen.Id("jobs"))),
		jen.For(jen.List(jen.Id("i"), jen.Id("id")).Op(":=").Range().Id("jobs")).Block(jen.Id("ids").Index(jen.Id("i")).Op("=").Id(p.D.GoRow+"ID").Parens(jen.Id("id"))),
		jen.Return(jen.Qual(adapter.RowsPath, "Each").Call(
			jen.Id("t").Dot("All").Call(jen.Id("ctx"), t.Query(code.Store("And").Call(
				t.Is("job_id", "In", jen.Id("ids").Op("...")),
				t.Is("status", "In", code.Option(p.q.State, p.q.Ready), code.Option(p.q.State, p.q.Running))))),
			jen.Id(runName(p.D)))),
	)
}

// earlier prints the counting of the runs of a job that wait or are under way and were added before
// one.
func (p printer) earlier() jen.Code {
	t := p.runs
	return jen.Func().Params(code.Ctx(), adapter.Conn(), jen.List(jen.Id("job"), jen.Id("run")).Int64(), jen.Id("most").Int()).Params(jen.Int(), jen.Error()).Block(
		t.Bound(),
		jen.Return(jen.Id("t").Dot("Count").Call(jen.Id("ctx"), code.Store("And").Call(
			t.Is("job_id", "Eq", jen.Id(p.D.GoRow+"ID").Parens(jen.Id("job"))),
			t.Is("status", "In", code.Option(p.q.State, p.q.Ready), code.Option(p.q.State, p.q.Running)),
			jen.Id(t.GoRow+"Fields").Dot("ID").Dot("Lt").Call(t.ID(jen.Id("run")))), jen.Id("most"))),
	)
}

// between prints the reading of the runs of a job by their instants.
func (p printer) between() jen.Code {
	t := p.runs
	return t.Each(scheduler("RunRow"), runName(p.D), t.Query(code.Store("And").Call(
		t.Is("job_id", "Eq", jen.Id(p.D.GoRow+"ID").Parens(jen.Id("job"))),
		t.Is("due_at", "Gte", jen.Id("from")), t.Is("due_at", "Lt", jen.Id("before")))),
		jen.Id("job").Int64(), jen.List(jen.Id("from"), jen.Id("before")).Qual("time", "Time"))
}

// ending prints the reading of the runs of a job that were replaced while they were under way, since
// a moment.
func (p printer) ending() jen.Code {
	t := p.runs
	return t.Each(scheduler("RunRow"), runName(p.D), t.Query(code.Store("And").Call(
		t.Is("job_id", "Eq", jen.Id(p.D.GoRow+"ID").Parens(jen.Id("job"))),
		t.Is("waits", "Eq", jen.True()),
		t.Is("status", "Eq", code.Option(p.q.State, cmp.Or(p.q.Cancelled, p.q.Dead))),
		t.Is("ended_at", "Gte", jen.Id("since")))),
		jen.Id("job").Int64(), jen.Id("since").Qual("time", "Time"))
}

func (p printer) setOutput(*model.Field) jen.Code {
	return jen.Func().Params(code.Ctx(), adapter.Conn(), jen.Id("id").Int64(), jen.Id("output").String()).Error().Block(p.patch("output", "output")...)
}

// patch prints an update of one field of a run to a variable.
func (p printer) patch(role, variable string) []jen.Code {
	t := p.runs
	return []jen.Code{
		t.Bound(),
		jen.List(jen.Id("_"), jen.Err()).Op(":=").Id("t").Dot("Update").Call(jen.Id("ctx"), t.ID(jen.Id("id")),
			jen.Id(t.GoRow+"Patch").Values(jen.Dict{jen.Id(t.Fields[role].GoName): code.Store("Set").Call(jen.Id(variable))})),
		jen.Return(jen.Err()),
	}
}
