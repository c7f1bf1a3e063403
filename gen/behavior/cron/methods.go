package cron

import (
	"github.com/dave/jennifer/jen"

	"github.com/hegner123/modulagen/gen/golang/code"
)

// methods prints what the table of jobs has beyond others.
func (p printer) methods(f *jen.File) {
	ctx, spec := jen.Id("ctx"), jen.Op("&").Id(specName(p.D))
	runID := p.s.Runs.GoRow + "ID"
	p.Method(f, "RunNow",
		"RunNow adds a run of the job for now, beside those of its schedule, also where it is not",
		"enabled, and returns the run's id; Await of "+p.s.Runs.GoAccessor+" waits for its end. Where a run of the job is",
		"under way, its overlap says what happens: with skip the error is cron.ErrRunning. It returns",
		"store.ErrNotFound without the job.",
	).Params(code.Ctx(), p.IDParam()).Params(jen.Id(runID), jen.Error()).Block(
		jen.List(jen.Id("run"), jen.Err()).Op(":=").Add(scheduler("RunNow")).Call(ctx, p.Conn(), spec, p.PlainID()),
		jen.Return(jen.Id(runID).Parens(jen.Id("run")), jen.Err()))
	f.Line()
	p.Method(f, "Pause",
		"Pause disables the job: it has no further instant until Resume. Runs that were added before",
		"stay. It returns store.ErrNotFound without the job.",
	).Params(code.Ctx(), p.IDParam()).Error().Block(jen.Return(scheduler("Pause").Call(ctx, p.Conn(), spec, p.PlainID())))
	f.Line()
	p.Method(f, "Resume",
		"Resume enables the job: its next instant is the first one from now on, and those that passed",
		"meanwhile are not made up for. It returns store.ErrNotFound without the job.",
	).Params(code.Ctx(), p.IDParam()).Error().Block(jen.Return(scheduler("Resume").Call(ctx, p.Conn(), spec, p.PlainID())))
	f.Line()
	p.Method(f, "Next",
		"Next returns the next n instants of the job, at most 1,000 and fewer where it ends, jitter included; none where it is",
		"not enabled. Its error is about the schedule, or store.ErrNotFound without the job.",
	).Params(code.Ctx(), p.IDParam(), jen.Id("n").Int()).Params(jen.Index().Qual("time", "Time"), jen.Error()).Block(
		jen.Return(scheduler("Next").Call(ctx, p.Conn(), spec, p.PlainID(), jen.Id("n"))))
	f.Line()
	p.Method(f, "Backfill",
		"Backfill adds a run for each instant of the schedule from a moment on and before another, but",
		"for those that have one, and returns how many. Both are in the past, and there are at",
		"most 1,000 instants between them. The runs take place one after the other, whatever",
		"the job's overlap is.",
	).Params(code.Ctx(), p.IDParam(), jen.List(jen.Id("from"), jen.Id("before")).Qual("time", "Time")).Params(jen.Int(), jen.Error()).Block(
		jen.Return(scheduler("Backfill").Call(ctx, p.Conn(), spec, p.PlainID(), jen.Id("from"), jen.Id("before"))))
	f.Line()
	p.history(f)
}

func (p printer) history(f *jen.File) {
	t := p.runs
	p.Method(f, "History",
		"History returns the runs of the job that were added last, the latest first: at most n, and",
		"those that the retention of "+t.Name+" has left.",
	).Params(code.Ctx(), p.IDParam(), jen.Id("n").Int()).Params(jen.Index().Id(t.GoRow), jen.Error()).Block(
		jen.Id("runs").Op(":=").Id(t.GoRow+"Table").Values(code.Core("Bind").Call(p.Conn(), t.Spec())),
		jen.List(jen.Id("page"), jen.Err()).Op(":=").Id("runs").Dot("List").Call(jen.Id("ctx"), jen.Id(t.GoRow+"Query").Values(jen.Dict{
			jen.Id("Where"): t.Is("job_id", "Eq", jen.Id("id")),
			jen.Id("Sort"):  jen.Index().Id(t.GoRow + "Sort").Values(jen.Id(t.GoRow + "Fields").Dot("ID").Dot("Desc").Call()),
			jen.Id("Limit"): jen.Id("n"),
		})),
		jen.Return(jen.Id("page").Dot("Items"), jen.Err()),
	)
	f.Line()
}
