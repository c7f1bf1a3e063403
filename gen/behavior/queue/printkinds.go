package queue

import (
	"fmt"

	"github.com/dave/jennifer/jen"

	"github.com/hegner123/modulagen/gen/golang/code"
	"github.com/hegner123/modulagen/gen/goname"
	"github.com/hegner123/modulagen/gen/model"
)

// kind prints a payload, its earlier forms, and how it is enqueued.
func (t queuePrinter) kind(f *jen.File, k *Kind) {
	code.Payload(f, t.D, k.GoName, fmt.Sprintf("is the payload of a %s in %s.", k.Name, t.D.Name), k.Fields)
	for _, old := range k.Older {
		code.Payload(f, t.D, old.GoName, fmt.Sprintf("is the payload of a %s in version %d.", k.Name, old.Version), old.Fields)
	}
	f.Add(code.Comment(k.GoName + "Job is a claimed " + k.Name + "."))
	f.Type().Id(k.GoName+"Job").Op("=").Add(queued("Job")).Types(jen.Id(t.D.GoRow), jen.Id(k.GoName))
	f.Line()
	f.Var().Id(RulesName(k)).Op("=").Add(code.Members(k.Fields))
	f.Line()
	t.enqueue(f, k)
	t.enqueueMany(f, k)
	t.newJob(f, k)
}

func RulesName(k *Kind) string { return goname.Unexported(k.GoName) + "Rules" }

func (t queuePrinter) opts() *jen.Statement {
	return jen.Id("opts").Op("...").Func().Params(jen.Op("*").Id(t.D.GoRow + "New"))
}

func (t queuePrinter) enqueue(f *jen.File, k *Kind) {
	name, u := "Enqueue"+k.GoName, k.Policy.Unique
	doc := []string{
		name + " adds a " + k.Name + ". Each of opts may change the row to be: when it runs,",
		"how often it is tried.",
	}
	if u != nil {
		doc = append(doc, duplicates(u)...)
	}
	t.Method(f, name, doc...).
		Params(code.Ctx(), jen.Id("payload").Id(k.GoName), t.opts()).
		Params(t.enqueued(u)...).BlockFunc(func(g *jen.Group) {
		g.List(jen.Id("n"), jen.Err()).Op(":=").Id(newName(k)).Call(jen.Id("ctx"), jen.Id("payload"), jen.Id("opts"))
		g.If(jen.Err().Op("!=").Nil()).Block(jen.ReturnFunc(func(g *jen.Group) {
			g.Nil()
			if u != nil {
				g.False()
			}
			g.Err()
		}))
		if u != nil {
			g.Return(jen.Id(addName(k)).Call(jen.Id("ctx"), jen.Id("t"), jen.Id("n")))
			return
		}
		t.add(g, u)
	})
	f.Line()
	if u != nil {
		f.Func().Id(addName(k)).Params(code.Ctx(), jen.Id("t").Op("*").Id(t.Type()), jen.Id("n").Id(t.D.GoRow+"New")).
			Params(t.enqueued(u)...).BlockFunc(func(g *jen.Group) { t.add(g, u) })
		f.Line()
	}
}

// addName is the function that adds a row of a unique kind, or finds its duplicate.
func addName(k *Kind) string { return "add" + k.GoName }

// enqueued is what a method that enqueues one row returns. A caller whose kind
// becomes unique has to say what it does about duplicates, or does not compile.
func (t queuePrinter) enqueued(u *Unique) []jen.Code {
	row := jen.Op("*").Id(t.D.GoRow)
	if u == nil {
		return []jen.Code{row, jen.Error()}
	}
	return []jen.Code{jen.Id("row").Add(row), jen.Id("added").Bool(), jen.Err().Error()}
}

// duplicates documents what happens to a duplicate, and how the caller can tell.
func duplicates(u *Unique) []string {
	became := "is left unchanged"
	switch u.OnDuplicate {
	case "replace":
		became = "has taken this payload"
	case "debounce":
		became = "has taken this payload and waits anew"
	}
	return []string{
		"",
		"added reports whether row is new. If false, row is the job with the same key that was",
		"there already; it " + became + ".",
	}
}

// add creates the row n, or finds its duplicate.
func (t queuePrinter) add(g *jen.Group, u *Unique) {
	if u == nil {
		g.Return(jen.Id("t").Dot("Create").Call(jen.Id("ctx"), jen.Id("n")))
		return
	}
	table := func() *jen.Statement {
		return jen.Id("t").Op(":=").Id(t.Type()).Values(code.Core("Bind").Call(jen.Id("c"), jen.Op("&").Id(t.Spec())))
	}
	row := []jen.Code{jen.Op("*").Id(t.D.GoRow), jen.Error()}
	g.Return(engine("AddUnique").Call(jen.Id("ctx"), t.Conn(), t.queueAt(), code.Input("n", t.w.Unique).Dot("Or").Call(jen.Lit("")),
		uniqueValue(u),
		jen.Func().Params(jen.Id("c").Op("*").Add(code.Core("Conn")), jen.Id("until").Add(code.Store("Opt")).Types(jen.Qual("time", "Time"))).Params(row...).Block(
			table(),
			code.Input("n", t.w.UniqueUntil).Op("=").Id("until"),
			t.debounced(u, "n"),
			jen.Return(jen.Id("t").Dot("Create").Call(jen.Id("ctx"), jen.Id("n"))),
		),
		jen.Func().Params(jen.Id("c").Op("*").Add(code.Core("Conn")), jen.Id("old").Op("*").Id(t.D.GoRow), jen.Id("runAt").Add(code.Store("Opt")).Types(jen.Qual("time", "Time"))).Params(row...).Block(
			table(),
			jen.Id("p").Op(":=").Add(t.replacement()),
			t.postponed(u),
			t.reranked(),
			jen.Return(jen.Id("t").Dot("Update").Call(jen.Id("ctx"), jen.Id("old").Dot("ID"), jen.Id("p"))),
		),
	))
}

// debounced postpones a new row that is to wait for others.
func (t queuePrinter) debounced(u *Unique, variable string) jen.Code {
	if u.OnDuplicate != "debounce" {
		return jen.Null()
	}
	runAt := jen.Id(variable).Dot(t.w.Section.RunAt.GoName)
	return jen.If(jen.Op("!").Add(runAt.Clone()).Dot("IsSet").Call()).Block(
		runAt.Clone().Op("=").Add(code.Store("Set")).Call(t.Conn().Dot("DB").Call().Dot("Clock").Call().Dot("Add").Call(code.Duration(u.Wait))),
	)
}

func (t queuePrinter) postponed(u *Unique) jen.Code {
	if u.OnDuplicate != "debounce" {
		return jen.Id("_").Op("=").Id("runAt")
	}
	w := t.w
	return jen.List(jen.Id("p").Dot(w.Section.RunAt.GoName), code.Input("p", w.Hold)).Op("=").
		List(jen.Id("runAt"), code.Store("Set").Call(engine("HoldTime")))
}

// aged is the priority that a row's rank goes by; nil without one.
func (t queuePrinter) aged() *model.Field {
	if t.w.Rank == nil {
		return nil
	}
	return t.w.Section.Order[0].Field
}

// reranked returns the old row the new one's priority, if that has one, and the
// place in the queue that goes with it.
func (t queuePrinter) reranked() jen.Code {
	f := t.aged()
	if f == nil {
		return jen.Null()
	}
	to := jen.Id("n").Dot(f.GoName)
	plain := jen.Id(t.D.IDField().Storage().Go).Parens(jen.Id("old").Dot("ID"))
	change := jen.If(
		jen.Err().Op(":=").Add(engine("SetPriority")).Call(jen.Id("ctx"), jen.Id("c"), t.queueAt(), plain, to.Clone().Add(t.orNothing(f))),
		jen.Err().Op("!=").Nil(),
	).Block(jen.Return(jen.Nil(), jen.Err()))
	if code.PlainInNew(f) {
		return change
	}
	return jen.If(to.Clone().Dot("IsSet").Call()).Block(change)
}

// orNothing reads an option that is set.
func (t queuePrinter) orNothing(f *model.Field) *jen.Statement {
	if code.PlainInNew(f) {
		return jen.Null()
	}
	return jen.Dot("Or").Call(jen.Lit(0))
}

// replacement is the patch that makes an old row the new one n: what a person
// may set, and not what the queue keeps.
func (t queuePrinter) replacement() jen.Code {
	w := t.w
	q := w.Section
	stays := map[*model.Field]bool{q.State: true, q.Attempts: true, q.Error: true, q.StartedAt: true, q.CompletedAt: true, q.ClaimedBy: true}
	anew := map[*model.Field]bool{w.Version: true, w.Trace: true, w.Name: true, w.Limit: true, q.RunAt: true, q.MaxAttempts: true}
	aged := t.aged()
	values := map[*model.Field]jen.Code{}
	for _, f := range t.D.Fields {
		if stays[f] || f.Added && !anew[f] || f == aged || f.Kept || f.Guarded() {
			continue
		}
		at := code.Input("n", f)
		if code.PlainInNew(f) {
			at = code.Store("Set").Call(at)
		}
		values[f] = at
	}
	return code.Literal(t.D, t.D.GoRow+"Patch", values)
}

func uniqueValue(u *Unique) jen.Code {
	return engine("Unique").Values(jen.DictFunc(func(d jen.Dict) {
		on := "Keep"
		switch u.OnDuplicate {
		case "replace":
			on = "Replace"
		case "debounce":
			on = "Debounce"
		}
		d[jen.Id("On")] = engine(on)
		if u.For > 0 {
			d[jen.Id("For")] = code.Duration(u.For)
		}
		if u.Wait > 0 {
			d[jen.Id("Wait")], d[jen.Id("AtMost")] = code.Duration(u.Wait), code.Duration(u.AtMost)
		}
	}))
}

func (t queuePrinter) enqueueMany(f *jen.File, k *Kind) {
	if k.Policy.Unique != nil {
		t.enqueueEach(f, k)
		return
	}
	name := "Enqueue" + k.GoName + "Many"
	t.Method(f, name, name+" adds a "+k.Name+" for each payload, all or none, and returns their ids in order.").
		Params(code.Ctx(), jen.Id("payloads").Index().Id(k.GoName), t.opts()).
		Params(jen.Index().Id(t.IDType()), jen.Error()).BlockFunc(func(g *jen.Group) {
		g.Id("ns").Op(":=").Make(jen.Index().Id(t.D.GoRow+"New"), jen.Len(jen.Id("payloads")))
		g.For(jen.List(jen.Id("i"), jen.Id("payload")).Op(":=").Range().Id("payloads")).Block(
			jen.Var().Err().Error(),
			jen.If(
				jen.List(jen.Id("ns").Index(jen.Id("i")), jen.Err()).Op("=").Id(newName(k)).Call(jen.Id("ctx"), jen.Id("payload"), jen.Id("opts")),
				jen.Err().Op("!=").Nil(),
			).Block(jen.Return(jen.Nil(), engine("InPayload").Call(jen.Id("i"), jen.Err()))),
		)
		g.Return(jen.Id("t").Dot("CreateMany").Call(jen.Id("ctx"), jen.Id("ns")))
	})
	f.Line()
}

// enqueueEach prints EnqueueMany of a unique kind: it adds one after the other,
// since each may have a duplicate, also among the others. It does so in the order of
// their keys, so that two callers with the same keys cannot deadlock.
func (t queuePrinter) enqueueEach(f *jen.File, k *Kind) {
	name := "Enqueue" + k.GoName + "Many"
	each := jen.Id("c").Op("*").Add(code.Core("Conn"))
	failed := func(err jen.Code) *jen.Statement { return jen.Return(jen.Nil(), jen.Nil(), err) }
	inPayload := func() *jen.Statement { return engine("InPayload").Call(jen.Id("i"), jen.Err()) }
	t.Method(f, name,
		name+" adds a "+k.Name+" for each payload, all or none. ids[i] is the id of the row that",
		"has the key of payloads[i], and added[i] reports whether that row is new, as with",
		"Enqueue"+k.GoName+"; an id may occur several times and is new at most once.",
	).
		Params(code.Ctx(), jen.Id("payloads").Index().Id(k.GoName), t.opts()).
		Params(jen.Id("ids").Index().Id(t.IDType()), jen.Id("added").Index().Bool(), jen.Err().Error()).Block(
		jen.List(jen.Id("ns"), jen.Id("keys")).Op(":=").List(
			jen.Make(jen.Index().Id(t.D.GoRow+"New"), jen.Len(jen.Id("payloads"))), jen.Make(jen.Index().String(), jen.Len(jen.Id("payloads")))),
		jen.For(jen.List(jen.Id("i"), jen.Id("payload")).Op(":=").Range().Id("payloads")).Block(
			jen.If(
				jen.List(jen.Id("ns").Index(jen.Id("i")), jen.Err()).Op("=").Id(newName(k)).Call(jen.Id("ctx"), jen.Id("payload"), jen.Id("opts")),
				jen.Err().Op("!=").Nil(),
			).Block(failed(inPayload())),
			jen.Id("keys").Index(jen.Id("i")).Op("=").Add(code.Input("ns[i]", t.w.Unique)).Dot("Or").Call(jen.Lit("")),
		),
		jen.List(jen.Id("ids"), jen.Id("added")).Op("=").List(
			jen.Make(jen.Index().Id(t.IDType()), jen.Len(jen.Id("payloads"))), jen.Make(jen.Index().Bool(), jen.Len(jen.Id("payloads")))),
		jen.Err().Op("=").Add(t.Conn()).Dot("InTx").Call(jen.Id("ctx"), jen.Func().Params(each).Error().Block(
			jen.Id("t").Op(":=").Op("&").Id(t.Type()).Values(code.Core("Bind").Call(jen.Id("c"), jen.Op("&").Id(t.Spec()))),
			jen.For(jen.List(jen.Id("_"), jen.Id("i")).Op(":=").Range().Add(engine("ByKey").Call(jen.Id("keys")))).Block(
				jen.List(jen.Id("row"), jen.Id("isNew"), jen.Err()).Op(":=").Id(addName(k)).Call(jen.Id("ctx"), jen.Id("t"), jen.Id("ns").Index(jen.Id("i"))),
				jen.If(jen.Err().Op("!=").Nil()).Block(jen.Return(inPayload())),
				jen.List(jen.Id("ids").Index(jen.Id("i")), jen.Id("added").Index(jen.Id("i"))).Op("=").List(jen.Id("row").Dot("ID"), jen.Id("isNew")),
			),
			jen.Return(jen.Nil()),
		)),
		jen.If(jen.Err().Op("!=").Nil()).Block(failed(jen.Err())),
		jen.Return(jen.Id("ids"), jen.Id("added"), jen.Nil()),
	)
	f.Line()
}

func newName(k *Kind) string { return "new" + k.GoName }

// newJob prints the function that makes a row of a payload.
func (t queuePrinter) newJob(f *jen.File, k *Kind) {
	q := t.w.Section
	f.Func().Id(newName(k)).Params(code.Ctx(), jen.Id("payload").Id(k.GoName), jen.Id("opts").Index().Func().Params(jen.Op("*").Id(t.D.GoRow+"New"))).
		Params(jen.Id(t.D.GoRow+"New"), jen.Error()).BlockFunc(func(g *jen.Group) {
		g.List(jen.Id("text"), jen.Err()).Op(":=").Add(engine("Encode")).Call(jen.Lit(k.Name), jen.Id("payload"), jen.Id(RulesName(k)))
		g.If(jen.Err().Op("!=").Nil()).Block(jen.Return(jen.Id(t.D.GoRow+"New").Values(), jen.Err()))
		values := t.preset(k)
		values[q.KindField] = code.Given(q.KindField, jen.Lit(k.Name))
		values[q.PayloadField] = code.Given(q.PayloadField, jen.Id("text"))
		g.Id("n").Op(":=").Add(code.Literal(t.D, t.D.GoRow+"New", values))
		g.For(jen.List(jen.Id("_"), jen.Id("opt")).Op(":=").Range().Id("opts")).Block(jen.Id("opt").Call(jen.Op("&").Id("n")))
		t.keys(g, k.Name, k.Policy, k.Fields)
		g.Return(jen.Id("n"), jen.Nil())
	})
	f.Line()
}

// preset returns what the kind's policy says of its rows.
func (t queuePrinter) preset(k *Kind) map[*model.Field]jen.Code {
	w := t.w
	values := map[*model.Field]jen.Code{w.Trace: engine("Trace").Call(jen.Id("ctx"))}
	set := func(f *model.Field, v jen.Code) {
		if f != nil {
			values[f] = code.Given(f, v)
		}
	}
	if k.Policy.Queue != "" {
		set(w.Name, jen.Lit(k.Policy.Queue))
	}
	if k.Policy.MaxAttempts > 0 {
		set(w.Section.MaxAttempts, jen.Int64().Parens(jen.Lit(int(k.Policy.MaxAttempts))))
	}
	set(w.Version, jen.Int64().Parens(jen.Lit(k.Version)))
	return values
}

// keys returns what limits and uniqueness know the row by. It comes after the
// caller's options, which may have changed the row's fields.
func (t queuePrinter) keys(g *jen.Group, kind string, p Policy, members []*model.Field) {
	w := t.w
	scope := t.D.Name
	if kind != "" {
		scope += "/" + kind
	}
	values := func(fields ...*model.Field) []jen.Code {
		out := []jen.Code{jen.Lit(scope)}
		for _, f := range fields {
			at := jen.Id("n").Dot(f.GoName)
			for _, m := range members {
				if m == f {
					at = jen.Id("payload").Dot(f.GoName)
				}
			}
			out = append(out, at)
		}
		return out
	}
	if p.Rate != nil || p.Concurrency > 0 {
		var per []*model.Field
		if p.Per != nil {
			per = append(per, p.Per)
		}
		g.Add(code.Input("n", w.Limit)).Op("=").Add(code.Store("Set")).Call(engine("Key").Call(values(per...)...))
	}
	if p.Unique != nil {
		g.Add(code.Input("n", w.Unique)).Op("=").Add(code.Store("Set")).Call(engine("Key").Call(values(p.Unique.By...)...))
	}
}

// enqueueRow prints Enqueue for rows that are no kinds' payloads.
func (t queuePrinter) enqueueRow(f *jen.File) {
	p := t.w.Section.Policy
	doc := []string{"Enqueue adds a row, and wakes the workers."}
	if p.Rate != nil || p.Concurrency > 0 {
		doc = append(doc, "Unlike Create it counts the row under the limits of the queue.")
	}
	if p.Unique != nil {
		doc = append(doc, duplicates(p.Unique)...)
	}
	t.Method(f, "Enqueue", doc...).
		Params(code.Ctx(), jen.Id("n").Id(t.D.GoRow+"New")).Params(t.enqueued(p.Unique)...).BlockFunc(func(g *jen.Group) {
		t.enqueuedRow(g)
		t.add(g, p.Unique)
	})
	f.Line()
	if p.Unique == nil {
		t.enqueueRows(f)
	}
}

// enqueuedRow sets what a row n that is enqueued has beyond one that is created.
func (t queuePrinter) enqueuedRow(g *jen.Group) {
	trace := code.Input("n", t.w.Trace)
	g.If(jen.Op("!").Add(trace.Clone()).Dot("IsSet").Call()).Block(trace.Clone().Op("=").Add(engine("Trace")).Call(jen.Id("ctx")))
	t.keys(g, "", t.w.Section.Policy, nil)
}

// enqueueRows prints EnqueueMany for rows that are no kinds' payloads.
func (t queuePrinter) enqueueRows(f *jen.File) {
	t.Method(f, "EnqueueMany", "EnqueueMany is Enqueue for several rows, all or none. It returns their ids in order.").
		Params(code.Ctx(), jen.Id("ns").Index().Id(t.D.GoRow+"New")).Params(jen.Index().Id(t.IDType()), jen.Error()).Block(
		jen.Id("ns").Op("=").Qual("slices", "Clone").Call(jen.Id("ns")),
		jen.For(jen.Id("i").Op(":=").Range().Id("ns")).BlockFunc(func(g *jen.Group) {
			g.Id("n").Op(":=").Op("&").Id("ns").Index(jen.Id("i"))
			t.enqueuedRow(g)
		}),
		jen.Return(jen.Id("t").Dot("CreateMany").Call(jen.Id("ctx"), jen.Id("ns"))),
	)
	f.Line()
}

func (t queuePrinter) handler(f *jen.File) {
	name := t.D.GoRow + "Handler"
	f.Add(code.Comment(
		name+" runs what is claimed from "+t.D.Name+". A nil error is done; another is tried",
		"again later, unless queue.Discard made it.",
	))
	f.Type().Id(name).InterfaceFunc(func(g *jen.Group) {
		if len(t.w.Section.Kinds) == 0 {
			g.Id(t.D.GoRow).Params(code.Ctx(), jen.Id("row").Op("*").Id(t.D.GoRow)).Error()
		}
		for _, k := range t.w.Section.Kinds {
			g.Id(k.GoName).Params(code.Ctx(), jen.Id("job").Op("*").Id(k.GoName+"Job")).Error()
		}
		for _, k := range t.w.Section.Kinds {
			if len(k.Older) > 0 {
				g.Id(upcasterName(k))
			}
		}
	})
	f.Line()
	for _, k := range t.w.Section.Kinds {
		t.upcaster(f, k)
	}
}

func upcasterName(k *Kind) string { return k.GoName + "Upcaster" }

// upcaster prints what leads from earlier payloads to today's.
func (t queuePrinter) upcaster(f *jen.File, k *Kind) {
	if len(k.Older) == 0 {
		return
	}
	f.Add(code.Comment(upcasterName(k) + " makes today's payload of those that earlier programs have enqueued."))
	f.Type().Id(upcasterName(k)).InterfaceFunc(func(g *jen.Group) {
		for _, old := range k.Older {
			g.Id(fromName(k, old)).Params(code.Ctx(), jen.Id("old").Id(old.GoName)).Params(jen.Id(k.GoName), jen.Error())
		}
	})
	f.Line()
}

func fromName(k *Kind, old *OldPayload) string {
	return fmt.Sprintf("%sFromV%d", k.GoName, old.Version)
}

func (t queuePrinter) dispatch(f *jen.File) {
	q := t.w.Section
	f.Func().Id(handleName(t.D)).Params(jen.Id("h").Id(t.D.GoRow + "Handler")).Add(queued("Handler")).Types(jen.Id(t.D.GoRow)).BlockFunc(func(g *jen.Group) {
		if len(q.Kinds) == 0 {
			g.Return(jen.Id("h").Dot(t.D.GoRow))
			return
		}
		kind := jen.String().Parens(code.Value("row", q.KindField))
		g.Return(jen.Func().Params(code.Ctx(), jen.Id("row").Op("*").Id(t.D.GoRow)).Error().Block(
			jen.Switch(kind).BlockFunc(func(g *jen.Group) {
				for _, k := range q.Kinds {
					g.Case(jen.Lit(k.Name)).Block(t.older(k), jen.Return(engine("Handle").Call(
						jen.Id("ctx"), jen.Id("row"), code.Value("row", q.PayloadField), jen.Id("h").Dot(k.GoName))))
				}
			}),
			jen.Return(engine("UnknownKind").Call(kind.Clone())),
		))
	})
	f.Line()
}

// older dispatches payloads of earlier versions.
func (t queuePrinter) older(k *Kind) jen.Code {
	if len(k.Older) == 0 {
		return jen.Null()
	}
	return jen.Switch(code.Value("row", t.w.Version)).BlockFunc(func(g *jen.Group) {
		for _, old := range k.Older {
			g.Case(jen.Lit(old.Version)).Block(jen.Return(engine("HandleOlder").Call(
				jen.Id("ctx"), jen.Id("row"), code.Value("row", t.w.Section.PayloadField),
				jen.Id("h").Dot(fromName(k, old)), jen.Id("h").Dot(k.GoName))))
		}
	})
}
