package queue

import (
	"strings"

	"github.com/dave/jennifer/jen"

	"github.com/hegner123/modulagen/gen/golang"
	"github.com/hegner123/modulagen/gen/golang/code"
	"github.com/hegner123/modulagen/gen/goname"
	"github.com/hegner123/modulagen/gen/model"
)

// The packages that generated code of a queue names: what programs name too, and what
// it calls.
const (
	queuePath  = "github.com/hegner123/modulagen/runtime/queue"
	enginePath = queuePath + "/engine"
)

// Imports names packages queue and engine.
func (Behavior) Imports() map[string]string {
	return map[string]string{queuePath: "queue", enginePath: "engine"}
}

// QueueName is the variable with the engine.Spec of a queue.
func QueueName(d *model.Datatype) string  { return goname.Unexported(d.GoRow) + "Queue" }
func handleName(d *model.Datatype) string { return goname.Unexported(d.GoRow) + "Handle" }

func queued(name string) *jen.Statement { return jen.Qual(queuePath, name) }
func engine(name string) *jen.Statement { return jen.Qual(enginePath, name) }

// queuePrinter prints one queue.
type queuePrinter struct {
	code.Table
	w *Worker
}

// Datatype prints what a datatype that can be worked has beyond others.
func (Behavior) Datatype(f *jen.File, table code.Table) {
	q := Of(table.D)
	t := queuePrinter{table, q.Worker}
	for _, k := range q.Kinds {
		t.kind(f, k)
	}
	if len(q.Kinds) == 0 {
		t.enqueueRow(f)
	}
	if q.Worked == nil {
		t.handler(f)
		t.dispatch(f)
	}
	t.controls(f)
	t.queueSpec(f)
}

func (t queuePrinter) queueAt() *jen.Statement { return jen.Op("&").Id(QueueName(t.D)) }

// cancelled is what Cancel does with jobs that have begun what must not happen twice.
func (t queuePrinter) cancelled() []string {
	if t.w.Section.Unknown == "" {
		return nil
	}
	return []string{"It returns queue.ErrBegun where the handler has called BeginOnce: the work may be done."}
}

// controls prints what can be done to rows and queues from outside of handlers.
func (t queuePrinter) controls(f *jen.File) {
	id := jen.Id("id").Id(t.IDType())
	plain := jen.Id(t.D.IDField().Storage().Go).Parens(jen.Id("id"))
	t.Method(f, "Cancel",
		append([]string{
			"Cancel ends a row that is ready or running; the context of a handler that runs it, in",
			"whichever process, ends with the cause queue.ErrCancelled. It returns store.ErrNotFound",
			"without the row, and queue.ErrEnded where it has ended already.",
		}, t.cancelled()...)...,
	).Params(code.Ctx(), id).Error().Block(
		jen.Return(engine("CancelRow").Call(jen.Id("ctx"), t.Conn(), t.queueAt(), plain)))
	f.Line()
	t.Method(f, "Retry",
		append([]string{
			"Retry makes a row that has ended, or waits, ready at once, with all its attempts. It",
			"returns store.ErrNotFound without the row, and queue.ErrRunning while a worker has it.",
		}, t.retried()...)...,
	).Params(code.Ctx(), id).Error().Block(
		jen.Return(engine("RetryRow").Call(jen.Id("ctx"), t.Conn(), t.queueAt(), plain)))
	f.Line()
	t.Method(f, "Await",
		t.awaited()...,
	).Params(code.Ctx(), id).Params(jen.Op("*").Id(t.D.GoRow), jen.Error()).Block(
		jen.Return(engine("Await").Call(jen.Id("ctx"), t.Conn().Dot("DB").Call(), t.queueAt(), plain)))
	f.Line()
	t.Method(f, "Pause",
		"Pause keeps workers in all processes from claiming rows, of all queues or of those",
		"named; running jobs are not affected. It holds until Resume, also over restarts.",
	).Params(code.Ctx(), jen.Id("queues").Op("...").String()).Error().Block(
		jen.Return(engine("Pause").Call(jen.Id("ctx"), t.Conn(), t.queueAt(), jen.Id("queues"))))
	f.Line()
	t.Method(f, "Resume", "Resume ends what Pause began.").
		Params(code.Ctx(), jen.Id("queues").Op("...").String()).Error().Block(
		jen.Return(engine("Resume").Call(jen.Id("ctx"), t.Conn(), t.queueAt(), jen.Id("queues"))))
	f.Line()
	f.Add(code.Comment(t.D.GoRow + "Event is something that happened to a row in this process."))
	f.Type().Id(t.D.GoRow + "Event").Op("=").Add(queued("Event")).Types(jen.Id(t.IDType()))
	f.Line()
	t.Method(f, "Events",
		"Events returns what this process's workers do to rows, from now on until ctx ends. Of",
		"workers that run with the same ctx it returns the last events too, and ends with them.",
	).
		Params(code.Ctx()).Qual("iter", "Seq").Types(jen.Id(t.D.GoRow + "Event")).Block(
		jen.Return(engine("Events").Types(jen.Id(t.IDType())).Call(jen.Id("ctx"), t.Conn().Dot("DB").Call(), jen.Lit(t.D.Name))))
	f.Line()
	if w := t.w; w.Rank != nil {
		t.Method(f, "SetPriority",
			"SetPriority changes the priority of a row that waits, and with it its place in the queue.",
		).Params(code.Ctx(), id, jen.Id("priority").Int64()).Error().Block(
			jen.Return(engine("SetPriority").Call(jen.Id("ctx"), t.Conn(), t.queueAt(), plain, jen.Id("priority"))))
		f.Line()
	}
}

// awaited documents the states that Await waits for.
func (t queuePrinter) awaited() []string {
	if t.w.Section.Unknown == "" {
		return []string{
			"Await returns the row once it has ended, wherever it ran: done, dead or cancelled. It",
			"fails when ctx ends first, and with store.ErrNotFound when the row is deleted.",
		}
	}
	return []string{
		"Await returns the row once it has ended, wherever it ran: done, dead, cancelled or",
		"unknown. It fails when ctx ends first, and with store.ErrNotFound when the row is deleted.",
	}
}

// retried documents what Retry does with a unique key.
func (t queuePrinter) retried() []string {
	if t.w.Unique == nil {
		return nil
	}
	return []string{
		"A row that has ended takes its unique key back; if another row holds the key by now,",
		"nothing is changed and the error is a *queue.DuplicateError, which names that row.",
	}
}

func (t queuePrinter) queueSpec(f *jen.File) {
	w, q := t.w, t.w.Section
	dict := jen.Dict{
		jen.Id("Name"):       jen.Lit(t.D.Name),
		jen.Id("Statements"): t.statements(),
		jen.Id("ErrorMax"):   jen.Lit(int(q.Error.Rules.Max.Int())),
		jen.Id("Versioned"):  jen.Lit(w.Version != nil),
		jen.Id("Fields"):     jen.Id(t.Fields()),
		jen.Id("Claimed"):    t.claimed(),
		jen.Id("States"):     engine("States").Values(t.states()),
		jen.Id("Order"): jen.Index().Add(engine("OrderColumn")).ValuesFunc(func(g *jen.Group) {
			for _, o := range w.Order {
				g.Values(jen.Id("Column").Op(":").Lit(t.Position(o.Field)), jen.Id("Desc").Op(":").Lit(o.Desc))
			}
			g.Values(jen.Id("Column").Op(":").Lit(0))
		}),
		jen.Id("Policies"): t.policies(),
		jen.Id("Queues"): jen.Index().Add(engine("Name")).ValuesFunc(func(g *jen.Group) {
			for _, n := range q.Names {
				g.Values(jen.Id("Name").Op(":").Lit(n.Name), jen.Id("Concurrency").Op(":").Lit(int(n.Concurrency)))
			}
		}),
		jen.Id("Retention"): jen.Index().Add(engine("Retention")).ValuesFunc(func(g *jen.Group) {
			for i, r := range q.Retention {
				g.Line().Values(t.retention(r, t.pruneName(i))...)
			}
			if len(q.Retention) > 0 {
				g.Line()
			}
		}),
	}
	if t.Runs(model.Updates) {
		dict[jen.Id("Rows")] = jen.Op("&").Id(t.Spec())
	}
	f.Var().Id(QueueName(t.D)).Op("=").Add(engine("Spec")).Types(jen.Id(t.D.GoRow)).Values(dict)
	f.Line()
}

func (t queuePrinter) states() jen.Dict {
	q := t.w.Section
	states := jen.Dict{
		jen.Id("Ready"): jen.Lit(q.Ready), jen.Id("Running"): jen.Lit(q.Running), jen.Id("Done"): jen.Lit(q.Done),
		jen.Id("Dead"): jen.Lit(q.Dead), jen.Id("Cancelled"): jen.Lit(q.Cancelled),
	}
	if q.Unknown != "" {
		states[jen.Id("Unknown")] = jen.Lit(q.Unknown)
	}
	return states
}

// retention prints how ended rows are deleted: where that has effects, by the
// table's own way.
func (t queuePrinter) retention(r Retention, prune string) []jen.Code {
	out := []jen.Code{jen.Id("After").Op(":").Add(code.Duration(r.After)), jen.Id("Prune").Op(":").Add(t.Statement(prune))}
	if !t.Runs(model.Deletes) && len(t.D.Cascades) == 0 {
		return out
	}
	q, fields := t.w.Section, t.D.GoRow+"Fields"
	ended := jen.Func().Params(jen.Id("by").Qual("time", "Time")).Add(code.Core("AnyCond")).Block(
		jen.Return(code.Core("AnyCond").Values(jen.Id("Filter").Op(":").Add(code.Store("And")).Call(
			jen.Id(fields).Dot(q.State.GoName).Dot("Eq").Call(jen.Lit(r.State)),
			jen.Id(fields).Dot(q.CompletedAt.GoName).Dot("Lte").Call(jen.Id("by")),
		).Dot("Filter"))))
	return append(out, jen.Id("Ended").Op(":").Add(ended), jen.Id("Rows").Op(":").Op("&").Id(t.Spec()))
}

func (t queuePrinter) pruneName(i int) string {
	n := 0
	for _, op := range t.D.Operations {
		if op.Kind == OpPrune {
			if n == i {
				return op.Name
			}
			n++
		}
	}
	panic("queue: no such retention")
}

// claimed prints how the worker reads a row.
func (t queuePrinter) claimed() jen.Code {
	w, q := t.w, t.w.Section
	dict := jen.Dict{
		jen.Id("ID"):          jen.Id(t.D.IDField().Storage().Go).Parens(jen.Id("row").Dot("ID")),
		jen.Id("Epoch"):       code.Value("row", w.Epoch),
		jen.Id("State"):       jen.String().Parens(code.Value("row", q.State)),
		jen.Id("Attempt"):     code.Value("row", q.Attempts),
		jen.Id("MaxAttempts"): code.Value("row", q.MaxAttempts),
		jen.Id("Errors"):      code.Value("row", w.Errors),
		jen.Id("Trace"):       code.Value("row", w.Trace),
	}
	for name, field := range map[string]*model.Field{"Kind": q.KindField, "Queue": w.Name, "Limit": w.Limit, "Unique": w.Unique, "UniqueUntil": w.UniqueUntil} {
		switch {
		case field == nil:
		case field.EnumGoName != "":
			dict[jen.Id(name)] = jen.String().Parens(code.Value("row", field))
		default:
			dict[jen.Id(name)] = code.Value("row", field)
		}
	}
	return jen.Func().Params(jen.Id("row").Op("*").Id(t.D.GoRow)).Add(engine("Claimed")).Block(
		jen.Return(engine("Claimed").Values(dict)))
}

// policies prints how jobs are run, by kind; without kinds under "".
func (t queuePrinter) policies() jen.Code {
	q := t.w.Section
	return jen.Map(jen.String()).Add(engine("Policy")).Values(jen.DictFunc(func(d jen.Dict) {
		if len(q.Kinds) == 0 {
			d[jen.Lit("")] = t.policy(q.Policy)
		}
		for _, k := range q.Kinds {
			d[jen.Lit(k.Name)] = t.policy(k.Policy)
		}
	}))
}

func (t queuePrinter) policy(p Policy) jen.Code {
	return jen.Values(jen.DictFunc(func(d jen.Dict) {
		if p.Timeout > 0 {
			d[jen.Id("Timeout")] = code.Duration(p.Timeout)
		}
		switch p.Backoff.Form {
		case "exponential":
			d[jen.Id("Backoff")] = queued("Exponential")
		case "squared":
			d[jen.Id("Backoff")] = queued("SquaredMinutes")
		case "list":
			d[jen.Id("Backoff")] = queued("Delays").CallFunc(func(g *jen.Group) {
				for _, delay := range p.Backoff.Delays {
					g.Add(code.Duration(delay))
				}
			})
		}
		if p.Rate != nil {
			d[jen.Id("Rate")] = engine("Rate").Values(jen.Dict{
				jen.Id("Max"): jen.Lit(int(p.Rate.Max)), jen.Id("Every"): code.Duration(p.Rate.Every),
			})
		}
		if p.Concurrency > 0 {
			d[jen.Id("Concurrency")] = jen.Lit(int(p.Concurrency))
		}
	}))
}

// statements prints the queue's statements, each under the name of its
// operation.
func (t queuePrinter) statements() jen.Code {
	dict := jen.Dict{jen.Id("Get"): t.Statement("Get" + t.D.GoRow)}
	for _, op := range t.D.Operations {
		if op.Behavior != Name || op.Kind == OpPrune {
			continue
		}
		verb := strings.TrimSuffix(op.Name, t.D.GoRow)
		dict[jen.Id(verb)] = t.Statement(op.Name)
		for _, step := range op.Steps {
			dict[jen.Id(step)] = t.Statement(op.Name + step)
		}
	}
	return engine("Statements").Values(dict)
}

// Run works the queues that have handlers.
func (Behavior) Run(all []*model.Datatype) golang.Run {
	var fields []jen.Code
	worked := map[string]bool{}
	for _, d := range all {
		if by := Of(d).Worked; by != nil {
			if !worked[by.Field] { // several queues may share one
				fields = append(fields, jen.Id(by.Field).Add(by.Type))
			}
			worked[by.Field] = true
			continue
		}
		fields = append(fields, jen.Id(d.GoAccessor).Id(d.GoRow+"Handler"), jen.Id(d.GoAccessor+"Options").Add(queued("Options")))
	}
	return golang.Run{
		Fields: fields, Doc: "A queue whose handler is nil is not worked.", Print: queues(all).print,
		Works: []string{"works every queue that has a handler until ctx ends, lets running handlers", "finish, and returns when the last has ended."},
		Work:  runQueues,
	}
}

func runQueues(alone bool) []jen.Code {
	queues := jen.Id("w").Dot("queues").Call(jen.Id("db"))
	if alone {
		return []jen.Code{jen.Return(engine("Run").Call(jen.Id("ctx"), queues.Op("...")))}
	}
	return []jen.Code{jen.If(jen.Id("queues").Op(":=").Add(queues), jen.Len(jen.Id("queues")).Op(">").Lit(0)).Block(
		jen.Return(engine("Run").Call(jen.Id("ctx"), jen.Id("queues").Op("..."))),
	)}
}

// queues are all queues of a project.
type queues []*model.Datatype

// runner makes the Runner of a queue that the program has a handler for.
func runner(d *model.Datatype) jen.Code {
	handler := jen.Id("w").Dot(d.GoAccessor)
	return jen.Qual(enginePath, "New").Call(
		jen.Id("db").Dot("store"), jen.Op("&").Id(QueueName(d)), jen.Id(handleName(d)).Call(handler), jen.Id("w").Dot(d.GoAccessor+"Options"))
}

// print prints what DB does with all queues.
func (queues queues) print(f *jen.File) {
	f.Func().Params(jen.Id("w").Id("Workers")).Id("queues").Params(jen.Id("db").Op("*").Id("DB")).Index().Qual(enginePath, "Runner").BlockFunc(func(g *jen.Group) {
		g.Var().Id("out").Index().Qual(enginePath, "Runner")
		for _, d := range queues {
			field, runner := d.GoAccessor, runner(d)
			if by := Of(d).Worked; by != nil {
				field, runner = by.Field, by.Runner()
			}
			g.If(jen.Id("w").Dot(field).Op("!=").Nil()).Block(
				jen.Id("out").Op("=").Append(jen.Id("out"), runner))
		}
		g.Return(jen.Id("out"))
	})
	f.Line()
	f.Add(code.Comment(
		"Drain runs all that is due, and what that adds, and returns when nothing is left",
		"that is due; rows that wait for a later time stay.",
	))
	f.Func().Params(jen.Id("db").Op("*").Id("DB")).Id("Drain").Params(jen.Id("ctx").Qual("context", "Context"), jen.Id("w").Id("Workers")).Error().Block(
		jen.Return(jen.Qual(enginePath, "Drain").Call(jen.Id("ctx"), jen.Id("w").Dot("queues").Call(jen.Id("db")).Op("..."))),
	)
	f.Line()
}
