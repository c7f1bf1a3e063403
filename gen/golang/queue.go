package golang

import (
	"slices"
	"strings"
	"time"

	"github.com/dave/jennifer/jen"

	"github.com/hegner123/modulagen/gen/goname"
	"github.com/hegner123/modulagen/gen/model"
)

func queueName(d *model.Datatype) string  { return goname.Unexported(d.GoRow) + "Queue" }
func handleName(d *model.Datatype) string { return goname.Unexported(d.GoRow) + "Handle" }

func queued(name string) *jen.Statement { return jen.Qual(queuePath, name) }

func ctxParam() *jen.Statement { return jen.Id("ctx").Qual("context", "Context") }

// queue prints what a datatype that can be worked has beyond others.
func (t tablePrinter) queue(f *jen.File) {
	q := t.d.Worker.Section
	for _, k := range q.Kinds {
		t.kind(f, k)
	}
	if len(q.Kinds) == 0 {
		t.enqueueRow(f)
	}
	t.handler(f)
	t.dispatch(f)
	t.controls(f)
	t.queueSpec(f)
}

// method begins a method of the table.
func (t tablePrinter) method(f *jen.File, name string, doc ...string) *jen.Statement {
	f.Add(comment(doc...))
	return f.Func().Params(jen.Id("t").Op("*").Id(t.tableType())).Id(name)
}

func (t tablePrinter) conn() *jen.Statement { return jen.Id("t").Dot("Conn").Call() }

func (t tablePrinter) queueAt() *jen.Statement { return jen.Op("&").Id(queueName(t.d)) }

// controls prints what can be done to rows and queues from outside of handlers.
func (t tablePrinter) controls(f *jen.File) {
	id := jen.Id("id").Id(t.idType())
	plain := jen.Id(t.d.IDField().Storage().Go).Parens(jen.Id("id"))
	t.method(f, "Cancel",
		"Cancel ends a row that is ready or running; the context of a handler that runs it, in",
		"whichever process, ends with the cause queue.ErrCancelled. It gives store.ErrNotFound",
		"without the row, and queue.ErrEnded where it has ended already.",
	).Params(ctxParam(), id).Error().Block(
		jen.Return(queued("CancelRow").Call(jen.Id("ctx"), t.conn(), t.queueAt(), plain)))
	f.Line()
	t.method(f, "Retry",
		append([]string{
			"Retry makes a row that has ended, or waits, ready at once, with all its attempts. It",
			"returns store.ErrNotFound without the row, and queue.ErrRunning while a worker has it.",
		}, t.retried()...)...,
	).Params(ctxParam(), id).Error().Block(
		jen.Return(queued("Revive").Call(jen.Id("ctx"), t.conn(), t.queueAt(), plain)))
	f.Line()
	t.method(f, "Await",
		"Await returns the row once it has ended, wherever it ran: done, dead or cancelled. It",
		"fails when ctx ends first, and with store.ErrNotFound when the row is deleted.",
	).Params(ctxParam(), id).Params(jen.Op("*").Id(t.d.GoRow), jen.Error()).Block(
		jen.Return(queued("Await").Call(jen.Id("ctx"), t.conn().Dot("DB").Call(), t.queueAt(), plain)))
	f.Line()
	t.method(f, "Pause",
		"Pause keeps workers in all processes from taking up rows, of all queues or of those",
		"named; what runs goes on. It holds until Resume, also over restarts.",
	).Params(ctxParam(), jen.Id("queues").Op("...").String()).Error().Block(
		jen.Return(queued("Pause").Call(jen.Id("ctx"), t.conn(), t.queueAt(), jen.Id("queues"))))
	f.Line()
	t.method(f, "Resume", "Resume ends what Pause began.").
		Params(ctxParam(), jen.Id("queues").Op("...").String()).Error().Block(
		jen.Return(queued("Resume").Call(jen.Id("ctx"), t.conn(), t.queueAt(), jen.Id("queues"))))
	f.Line()
	f.Add(comment(t.d.GoRow + "Event is something that happened to a row in this process."))
	f.Type().Id(t.d.GoRow + "Event").Op("=").Add(queued("Event")).Types(jen.Id(t.idType()))
	f.Line()
	t.method(f, "Events",
		"Events returns what this process's workers do to rows, from now on until ctx ends. Of",
		"workers that run with the same ctx it returns the last events too, and ends with them.",
	).
		Params(ctxParam()).Qual("iter", "Seq").Types(jen.Id(t.d.GoRow + "Event")).Block(
		jen.Return(queued("Events").Types(jen.Id(t.idType())).Call(jen.Id("ctx"), t.conn().Dot("DB").Call(), jen.Lit(t.d.Name))))
	f.Line()
	if w := t.d.Worker; w.Rank != nil {
		t.method(f, "SetPriority",
			"SetPriority changes the priority of a row that waits, and with it its place in the queue.",
		).Params(ctxParam(), id, jen.Id("priority").Int64()).Error().Block(
			jen.Return(queued("SetPriority").Call(jen.Id("ctx"), t.conn(), t.queueAt(), plain, jen.Id("priority"))))
		f.Line()
	}
}

// retried documents what Retry does with a unique key.
func (t tablePrinter) retried() []string {
	if t.d.Worker.Unique == nil {
		return nil
	}
	return []string{
		"A row that has ended takes its unique key back; if another row holds the key by now,",
		"nothing is changed and the error is a *queue.DuplicateError, which names that row.",
	}
}

func (t tablePrinter) queueSpec(f *jen.File) {
	w, q := t.d.Worker, t.d.Worker.Section
	dict := jen.Dict{
		jen.Id("Name"):       jen.Lit(t.d.Name),
		jen.Id("Statements"): t.statements(),
		jen.Id("ErrorMax"):   jen.Lit(int(q.Error.Rules.Max.Int())),
		jen.Id("Versioned"):  jen.Lit(w.Version != nil),
		jen.Id("Fields"):     jen.Id(goname.Unexported(t.d.GoRow) + "Fields"),
		jen.Id("Claimed"):    t.claimed(),
		jen.Id("States"): queued("States").Values(jen.Dict{
			jen.Id("Ready"): jen.Lit(q.Ready), jen.Id("Running"): jen.Lit(q.Running), jen.Id("Done"): jen.Lit(q.Done),
			jen.Id("Dead"): jen.Lit(q.Dead), jen.Id("Cancelled"): jen.Lit(q.Cancelled),
		}),
		jen.Id("Order"): jen.Index().Add(queued("OrderColumn")).ValuesFunc(func(g *jen.Group) {
			for _, o := range w.Order {
				g.Values(jen.Id("Column").Op(":").Lit(t.position(o.Field)), jen.Id("Desc").Op(":").Lit(o.Desc))
			}
			g.Values(jen.Id("Column").Op(":").Lit(0))
		}),
		jen.Id("Policies"): t.policies(),
		jen.Id("Queues"): jen.Index().Add(queued("Name")).ValuesFunc(func(g *jen.Group) {
			for _, n := range q.Names {
				g.Values(jen.Id("Name").Op(":").Lit(n.Name), jen.Id("Concurrency").Op(":").Lit(int(n.Concurrency)))
			}
		}),
		jen.Id("Retention"): jen.Index().Add(queued("Retention")).ValuesFunc(func(g *jen.Group) {
			for i, r := range q.Retention {
				g.Line().Values(t.retention(r, t.pruneName(i))...)
			}
			if len(q.Retention) > 0 {
				g.Line()
			}
		}),
	}
	if t.runs(model.Updates) {
		dict[jen.Id("Rows")] = jen.Op("&").Id(t.specName())
	}
	f.Var().Id(queueName(t.d)).Op("=").Add(queued("Spec")).Types(jen.Id(t.d.GoRow)).Values(dict)
	f.Line()
}

// retention prints how ended rows are deleted: where that has effects, by the
// table's own way.
func (t tablePrinter) retention(r model.Retention, prune string) []jen.Code {
	out := []jen.Code{jen.Id("After").Op(":").Add(duration(r.After)), jen.Id("Prune").Op(":").Add(t.statement(prune))}
	if !t.runs(model.Deletes) && len(t.d.Cascades) == 0 {
		return out
	}
	q, fields := t.d.Worker.Section, t.d.GoRow+"Fields"
	ended := jen.Func().Params(jen.Id("by").Qual("time", "Time")).Add(store("AnyCond")).Block(
		jen.Return(store("AnyCond").Call(store("And").Call(
			jen.Id(fields).Dot(q.State.GoName).Dot("Eq").Call(jen.Lit(r.State)),
			jen.Id(fields).Dot(q.CompletedAt.GoName).Dot("Lte").Call(jen.Id("by")),
		))))
	return append(out, jen.Id("Ended").Op(":").Add(ended), jen.Id("Rows").Op(":").Op("&").Id(t.specName()))
}

// runs reports whether a write of the kind has an effect that runs something.
func (t tablePrinter) runs(on model.Writes) bool {
	return slices.ContainsFunc(t.d.Effects, func(e model.Effect) bool { return e.On&on != 0 && e.Run != nil })
}

func (t tablePrinter) pruneName(i int) string {
	n := 0
	for _, op := range t.d.Operations {
		if op.Kind == model.OpPrune {
			if n == i {
				return op.Name
			}
			n++
		}
	}
	panic("golang: no such retention")
}

// claimed prints how the worker reads a row.
func (t tablePrinter) claimed() jen.Code {
	w, q := t.d.Worker, t.d.Worker.Section
	dict := jen.Dict{
		jen.Id("ID"):          jen.Id(t.d.IDField().Storage().Go).Parens(jen.Id("row").Dot("ID")),
		jen.Id("Epoch"):       value("row", w.Epoch),
		jen.Id("State"):       jen.String().Parens(value("row", q.State)),
		jen.Id("Attempt"):     value("row", q.Attempts),
		jen.Id("MaxAttempts"): value("row", q.MaxAttempts),
		jen.Id("Errors"):      value("row", w.Errors),
		jen.Id("Trace"):       value("row", w.Trace),
	}
	for name, field := range map[string]*model.Field{"Kind": q.KindField, "Queue": w.Name, "Gate": w.Gate, "Unique": w.Unique, "UniqueUntil": w.UniqueUntil} {
		switch {
		case field == nil:
		case field.EnumGoName != "":
			dict[jen.Id(name)] = jen.String().Parens(value("row", field))
		default:
			dict[jen.Id(name)] = value("row", field)
		}
	}
	return jen.Func().Params(jen.Id("row").Op("*").Id(t.d.GoRow)).Add(queued("Claimed")).Block(
		jen.Return(queued("Claimed").Values(dict)))
}

// value reads a column of a row, as the zero value where it is null.
func value(row string, f *model.Field) *jen.Statement {
	at := jen.Id(row).Dot(f.GoName)
	if !f.NotNull {
		at = at.Dot("V")
	}
	return at
}

// policies prints how jobs are run, by kind; without kinds under "".
func (t tablePrinter) policies() jen.Code {
	q := t.d.Worker.Section
	return jen.Map(jen.String()).Add(queued("Policy")).Values(jen.DictFunc(func(d jen.Dict) {
		if len(q.Kinds) == 0 {
			d[jen.Lit("")] = t.policy(q.Policy)
		}
		for _, k := range q.Kinds {
			d[jen.Lit(k.Name)] = t.policy(k.Policy)
		}
	}))
}

func (t tablePrinter) policy(p model.Policy) jen.Code {
	return jen.Values(jen.DictFunc(func(d jen.Dict) {
		if p.Timeout > 0 {
			d[jen.Id("Timeout")] = duration(p.Timeout)
		}
		switch p.Backoff.Form {
		case "exponential":
			d[jen.Id("Backoff")] = queued("Exponential")
		case "squared":
			d[jen.Id("Backoff")] = queued("SquaredMinutes")
		case "list":
			d[jen.Id("Backoff")] = queued("Delays").CallFunc(func(g *jen.Group) {
				for _, delay := range p.Backoff.Delays {
					g.Add(duration(delay))
				}
			})
		}
		if p.Rate != nil {
			d[jen.Id("Rate")] = queued("Rate").Values(jen.Dict{
				jen.Id("Max"): jen.Lit(int(p.Rate.Max)), jen.Id("Every"): duration(p.Rate.Every),
			})
		}
		if p.Concurrency > 0 {
			d[jen.Id("Concurrency")] = jen.Lit(int(p.Concurrency))
		}
	}))
}

// duration prints a span as a person would write it.
func duration(d time.Duration) *jen.Statement {
	for _, u := range []struct {
		of   time.Duration
		name string
	}{{time.Hour, "Hour"}, {time.Minute, "Minute"}, {time.Second, "Second"}, {time.Millisecond, "Millisecond"}} {
		if d%u.of == 0 {
			return jen.Lit(int(d/u.of)).Op("*").Qual("time", u.name)
		}
	}
	return jen.Lit(int(d)).Op("*").Qual("time", "Nanosecond")
}

// statements prints the queue's statements, each under the name of its
// operation.
func (t tablePrinter) statements() jen.Code {
	dict := jen.Dict{jen.Id("Get"): t.statement("Get" + t.d.GoRow)}
	for _, op := range t.d.Operations {
		switch op.Kind {
		case model.OpInsert, model.OpGet, model.OpUpdate, model.OpUpsert, model.OpDelete, model.OpList, model.OpPrune:
			continue
		}
		verb := strings.TrimSuffix(op.Name, t.d.GoRow)
		dict[jen.Id(verb)] = t.statement(op.Name)
		if op.Kind == model.OpClaim {
			dict[jen.Id("Take")] = t.statement(op.Name + "Take")
			dict[jen.Id("Read")] = t.statement(op.Name + "Read")
		}
	}
	return queued("Statements").Values(dict)
}

// statement prints one query in its three texts.
func (t tablePrinter) statement(name string) jen.Code {
	var texts [3]string
	var orders [3][]int
	for i, table := range t.sql {
		for _, q := range table.Queries {
			if q.Name == name {
				texts[i], orders[i] = q.Text, q.Args
			}
		}
	}
	return statementValue(texts, orders, false)
}

// statementValue prints a statement as the store takes it, with the names of
// its parameters where a person gave them some.
func statementValue(texts [3]string, orders [3][]int, clock bool, params ...jen.Code) jen.Code {
	return store("Statement").ValuesFunc(func(g *jen.Group) {
		g.Line().Id("Text").Op(":").Index(jen.Lit(3)).String().ValuesFunc(func(g *jen.Group) {
			for _, text := range texts {
				g.Line().Add(sqlText(text))
			}
			g.Line()
		})
		if orders[0] != nil || orders[1] != nil || orders[2] != nil {
			g.Line().Id("Order").Op(":").Index(jen.Lit(3)).Index().Int().Values(ints(orders[0]), ints(orders[1]), ints(orders[2]))
		}
		if len(params) > 0 {
			g.Line().Id("Params").Op(":").Index().String().Values(params...)
		}
		if clock {
			g.Line().Id("Clock").Op(":").True()
		}
		g.Line()
	})
}

// sqlText prints a statement as it reads, over several lines where it can: a
// raw string holds no backtick, and MySQL quotes names with it.
func sqlText(text string) jen.Code {
	if strings.ContainsAny(text, "`\r") {
		return jen.Lit(text)
	}
	return jen.Id("`" + text + "`")
}

func ints(values []int) jen.Code {
	if values == nil {
		return jen.Nil()
	}
	return jen.Values(jen.ListFunc(func(g *jen.Group) {
		for _, v := range values {
			g.Lit(v)
		}
	}))
}
