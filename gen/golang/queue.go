package golang

import (
	"fmt"
	"strings"

	"github.com/dave/jennifer/jen"

	"github.com/hegner123/modulagen/gen/model"
)

func queueName(d *model.Datatype) string  { return lower(d.GoRow) + "Queue" }
func handleName(d *model.Datatype) string { return lower(d.GoRow) + "Handle" }

// queue prints the payloads, the handler interface and the statements of a
// datatype that can be worked.
func (t tablePrinter) queue(f *jen.File) {
	for _, k := range t.d.Worker.Section.Kinds {
		t.kind(f, k)
	}
	t.handler(f)
	t.dispatch(f)
	t.queueSpec(f)
}

func (t tablePrinter) kind(f *jen.File, k *model.Kind) {
	for _, field := range k.Fields {
		if field.EnumGoName != "" {
			printEnum(f, t.d, field)
		}
		if field.JSONGoName != "" {
			printStruct(f, field.JSONGoName, fmt.Sprintf("is the %s of a %s.", field.Name, k.Name), field.JSONFields)
		}
	}
	printStruct(f, k.GoName, fmt.Sprintf("is the payload of a %s in %s.", k.Name, t.d.Name), k.Fields)
	f.Add(comment(k.GoName + "Job is a claimed " + k.Name + "."))
	f.Type().Id(k.GoName+"Job").Op("=").Qual(queuePath, "Job").Types(jen.Id(t.d.GoRow), jen.Id(k.GoName))
	f.Line()
	rules := lower(k.GoName) + "Rules"
	f.Var().Id(rules).Op("=").Index().Qual(checkPath, "Member").ValuesFunc(func(g *jen.Group) {
		for _, field := range k.Fields {
			g.Line().Values(jen.Id("Name").Op(":").Lit(field.Name), jen.Id("Rules").Op(":").Add(rulesValue(field)))
		}
		g.Line()
	})
	f.Line()
	t.enqueue(f, k, rules)
}

func (t tablePrinter) enqueue(f *jen.File, k *model.Kind, rules string) {
	q, name := t.d.Worker.Section, "Enqueue"+k.GoName
	f.Add(comment(
		name+" adds a "+k.Name+". Each of opts may change the row to be: when it runs,",
		"how often it is tried.",
	))
	f.Func().Params(jen.Id("t").Op("*").Id(t.tableType())).Id(name).Params(
		jen.Id("ctx").Qual("context", "Context"), jen.Id("payload").Id(k.GoName),
		jen.Id("opts").Op("...").Func().Params(jen.Op("*").Id(t.d.GoRow+"New")),
	).Params(jen.Op("*").Id(t.d.GoRow), jen.Error()).Block(
		jen.List(jen.Id("text"), jen.Err()).Op(":=").Qual(queuePath, "Encode").Call(jen.Lit(k.Name), jen.Id("payload"), jen.Id(rules)),
		jen.If(jen.Err().Op("!=").Nil()).Block(jen.Return(jen.Nil(), jen.Err())),
		jen.Id("n").Op(":=").Id(t.d.GoRow+"New").Values(
			jen.Id(q.KindField.GoName).Op(":").Add(given(q.KindField, jen.Lit(k.Name))),
			jen.Id(q.PayloadField.GoName).Op(":").Add(given(q.PayloadField, jen.Id("text"))),
		),
		jen.For(jen.List(jen.Id("_"), jen.Id("opt")).Op(":=").Range().Id("opts")).Block(jen.Id("opt").Call(jen.Op("&").Id("n"))),
		jen.Return(jen.Id("t").Dot("Create").Call(jen.Id("ctx"), jen.Id("n"))),
	)
	f.Line()
}

// given is a value as the field of a new row takes it.
func given(f *model.Field, value jen.Code) jen.Code {
	if f.EnumGoName != "" {
		value = jen.Id(f.EnumGoName).Parens(value)
	}
	if plainInNew(f) {
		return value
	}
	return store("Set").Call(value)
}

func (t tablePrinter) handler(f *jen.File) {
	name := t.d.GoRow + "Handler"
	ctx := jen.Id("ctx").Qual("context", "Context")
	f.Add(comment(
		name+" runs what is claimed from "+t.d.Name+". A nil error is done; another is tried",
		"again later, unless queue.Discard made it.",
	))
	f.Type().Id(name).InterfaceFunc(func(g *jen.Group) {
		if len(t.d.Worker.Section.Kinds) == 0 {
			g.Id(t.d.GoRow).Params(ctx, jen.Id("row").Op("*").Id(t.d.GoRow)).Error()
		}
		for _, k := range t.d.Worker.Section.Kinds {
			g.Id(k.GoName).Params(ctx, jen.Id("job").Op("*").Id(k.GoName+"Job")).Error()
		}
	})
	f.Line()
}

func (t tablePrinter) dispatch(f *jen.File) {
	q := t.d.Worker.Section
	row := jen.Op("*").Id(t.d.GoRow)
	f.Func().Id(handleName(t.d)).Params(jen.Id("h").Id(t.d.GoRow+"Handler")).Qual(queuePath, "Handler").Types(jen.Id(t.d.GoRow)).BlockFunc(func(g *jen.Group) {
		if len(q.Kinds) == 0 {
			g.Return(jen.Id("h").Dot(t.d.GoRow))
			return
		}
		kind := jen.String().Parens(value(q.KindField))
		g.Return(jen.Func().Params(jen.Id("ctx").Qual("context", "Context"), jen.Id("row").Add(row)).Error().Block(
			jen.Switch(kind).BlockFunc(func(g *jen.Group) {
				for _, k := range q.Kinds {
					g.Case(jen.Lit(k.Name)).Block(jen.Return(jen.Qual(queuePath, "Handle").Call(
						jen.Id("ctx"), jen.Id("row"), value(q.Attempts), value(q.PayloadField), jen.Id("h").Dot(k.GoName))))
				}
			}),
			jen.Return(jen.Qual(queuePath, "UnknownKind").Call(kind.Clone())),
		))
	})
	f.Line()
}

// value reads a column of a claimed row, as the zero value where it is null.
func value(f *model.Field) *jen.Statement {
	at := jen.Id("row").Dot(f.GoName)
	if !f.NotNull {
		at = at.Dot("V")
	}
	return at
}

func (t tablePrinter) queueSpec(f *jen.File) {
	w := t.d.Worker
	statement := func(op string) jen.Code { return t.statement(op + t.d.GoRow) }
	dict := jen.Dict{
		jen.Id("Name"):     jen.Lit(t.d.Name),
		jen.Id("Take"):     t.statement("Claim" + t.d.GoRow + "Take"),
		jen.Id("ErrorMax"): jen.Lit(int(w.Section.Error.Rules.Max.Int())),
		jen.Id("Fields"):   jen.Id(lower(t.d.GoRow) + "Fields"),
		jen.Id("Claimed"): jen.Func().Params(jen.Id("row").Op("*").Id(t.d.GoRow)).Qual(queuePath, "Claimed").Block(
			jen.Return(jen.Qual(queuePath, "Claimed").Values(jen.Dict{
				jen.Id("ID"):          jen.Id(t.d.IDField().Storage().Go).Parens(jen.Id("row").Dot("ID")),
				jen.Id("Epoch"):       value(w.Epoch),
				jen.Id("Attempt"):     value(w.Section.Attempts),
				jen.Id("MaxAttempts"): value(w.Section.MaxAttempts),
			})),
		),
	}
	for _, op := range []string{"Claim", "Beat", "Complete", "Retry", "Release", "Bury", "Sweep", "Get"} {
		dict[jen.Id(op)] = statement(op)
	}
	f.Var().Id(queueName(t.d)).Op("=").Qual(queuePath, "Spec").Types(jen.Id(t.d.GoRow)).Values(dict)
	f.Line()
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
	return statementValue(texts, orders)
}

// statementValue prints a statement as the store takes it, with the names of
// its parameters where a person gave them some.
func statementValue(texts [3]string, orders [3][]int, params ...jen.Code) jen.Code {
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
