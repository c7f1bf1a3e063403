package golang

import (
	"slices"
	"strings"

	"github.com/dave/jennifer/jen"

	"github.com/hegner123/modulagen/gen/golang/code"
	"github.com/hegner123/modulagen/gen/goname"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/gen/sqlc"
	"github.com/hegner123/modulagen/runtime/store/check"
)

// queryPrinter prints the user's own queries as methods.
type queryPrinter struct {
	p *model.Project
}

func (qp queryPrinter) print(f *jen.File, queries []*sqlc.UserQuery) {
	f.Add(code.Comment("Queries are the project's own queries, from its " + qp.p.Config.Queries + " folder."))
	f.Type().Id("Queries").Struct(jen.Id("conn").Op("*").Add(code.Core("Conn")))
	f.Line()
	sharing := map[string][]string{}
	for _, q := range queries {
		sharing[q.Row] = append(sharing[q.Row], q.Name)
	}
	for _, q := range queries {
		userQuery{q}.print(f, sharing[q.Row])
	}
}

type userQuery struct{ *sqlc.UserQuery }

// print prints a query. sharing are the queries whose rows have the type of its own.
func (q userQuery) print(f *jen.File, sharing []string) {
	q.statement(f)
	if len(q.Params) > 1 {
		q.params(f)
	}
	if len(q.Columns) > 1 && !q.Shared {
		q.row(f, sharing)
	}
	lines := q.Doc
	if len(lines) == 0 {
		lines = []string{q.Name + " runs the query of that name in " + q.Pos.File + "."}
	}
	if more := q.remarks(); len(more) > 0 {
		lines = append(append(slices.Clone(lines), ""), more...)
	}
	f.Add(code.Comment(lines...))
	f.Func().Params(jen.Id("q").Id("Queries")).Id(q.Name).ParamsFunc(func(g *jen.Group) {
		g.Id("ctx").Qual("context", "Context")
		switch len(q.Params) {
		case 0:
		case 1:
			g.Id(q.only()).Add(paramType(q.Params[0]))
		default:
			g.Id("params").Id(q.Name + "Params")
		}
	}).Params(q.result(), jen.Error()).Block(jen.Return(q.call()))
	f.Line()
}

// remarks are what the doc says beside the author's words.
func (q userQuery) remarks() []string {
	out := slices.Clone(q.Notes)
	if len(q.Writes) > 0 {
		out = append(out, "It writes "+strings.Join(q.Writes, " and ")+" by itself, without the rules and the effects of the methods.")
	}
	return append(out, q.Bypassed...)
}

func (q userQuery) statementName() string { return goname.Unexported(q.Name) + "Statement" }

func (q userQuery) statement(f *jen.File) {
	var texts [3]string
	var orders [3][]int
	for i, db := range model.Databases {
		texts[i], orders[i] = q.Text[db], q.Order[db]
	}
	var names []jen.Code
	for _, p := range q.Params {
		names = append(names, jen.Lit(p.Name))
	}
	f.Var().Id(q.statementName()).Op("=").Add(code.Statement(texts, orders, q.Clock, names...))
	f.Line()
}

func (q userQuery) params(f *jen.File) {
	f.Add(code.Comment(q.Name + "Params are the parameters of " + q.Name + "."))
	f.Type().Id(q.Name + "Params").StructFunc(func(g *jen.Group) {
		for _, p := range q.Params {
			g.Id(goname.Exported(p.Name)).Add(paramType(p)).Tag(code.Tag(p.Field, ""))
		}
	})
	f.Line()
	code.HideSecrets(f, q.Name+"Params", rowFields(q.Params), code.Written, code.GoMember)
}

func (q userQuery) row(f *jen.File, sharing []string) {
	f.Add(code.Comment(q.Row + " is a row of the result of " + strings.Join(sharing, ", ") + "."))
	f.Type().Id(q.Row).StructFunc(func(g *jen.Group) {
		for _, c := range q.Columns {
			g.Id(goname.Exported(c.Name)).Add(valueType(c)).Tag(columnTag(c))
		}
	})
	f.Line()
	code.HideSecrets(f, q.Row, rowFields(q.Columns), code.Shown, code.ColumnMember)
}

// rowFields are columns, or parameters, as fields of a struct.
func rowFields(values []sqlc.UserValue) []*model.Field {
	var out []*model.Field
	for _, c := range values {
		if c.Row != nil { // whose type hides its own
			continue
		}
		f := asField(c)
		f.GoName = goname.Exported(c.Name)
		out = append(out, f)
	}
	return out
}

// columnTag is as in the row of a table: a secret stays out of JSON.
func columnTag(c sqlc.UserValue) map[string]string {
	if c.Field != nil && c.Field.Hidden() {
		return code.Tag(c.Field, "-")
	}
	return code.Tag(c.Field, c.Name)
}

// element is the type of one row of the result.
func (q userQuery) element() *jen.Statement {
	if len(q.Columns) == 1 {
		return valueType(q.Columns[0])
	}
	return jen.Id(q.Row)
}

// result is what the method gives beside its error: a row, rows, or how many
// rows were changed.
func (q userQuery) result() jen.Code {
	switch q.Command {
	case ":one":
		return q.element()
	case ":many":
		return jen.Index().Add(q.element())
	}
	return jen.Int64()
}

func (q userQuery) call() jen.Code {
	args := []jen.Code{jen.Id("ctx"), jen.Id("q").Dot("conn"), jen.Op("&").Id(q.statementName()), q.arguments()}
	switch q.Command {
	case ":one":
		return code.Core("One").Call(append(args, q.fields())...)
	case ":many":
		return code.Core("Many").Call(append(args, q.fields())...)
	}
	return code.Core("Exec").Call(args...)
}

func (q userQuery) arguments() jen.Code {
	if len(q.Params) == 0 {
		return jen.Nil()
	}
	return jen.Index().Any().ValuesFunc(func(g *jen.Group) {
		for _, p := range q.Params {
			at := jen.Id(q.only())
			if len(q.Params) > 1 {
				at = jen.Id("params").Dot(goname.Exported(p.Name))
			}
			g.Add(paramField(p, at))
		}
	})
}

// only is the name of a single parameter.
func (q userQuery) only() string {
	name := q.Params[0].Name // "ids", which is "IDs" where it is exported
	if strings.ContainsRune(name, '_') || name != strings.ToLower(name) {
		name = goname.Unexported(goname.Exported(name))
	}
	if goWords[name] {
		return name + "_"
	}
	return name
}

// fields is the function that returns the places of the columns in a row.
func (q userQuery) fields() jen.Code {
	return jen.Func().Params(jen.Id("r").Op("*").Add(q.element())).Index().Any().Block(jen.Return(q.places()))
}

// places are the places of the columns: one list, or, with whole rows of datatypes
// among them, several that are put together.
func (q userQuery) places() jen.Code {
	var lists, plain []jen.Code
	for _, c := range q.Columns {
		at := jen.Op("&").Id("r").Dot(goname.Exported(c.Name))
		if len(q.Columns) == 1 {
			at = jen.Id("r")
		}
		if c.Row == nil {
			plain = append(plain, valueField(c, at))
			continue
		}
		if len(plain) > 0 {
			lists, plain = append(lists, jen.Index().Any().Values(plain...)), nil
		}
		lists = append(lists, rowFieldsOf(c, at))
	}
	if len(plain) > 0 || len(lists) == 0 {
		lists = append(lists, jen.Index().Any().Values(plain...))
	}
	if len(lists) == 1 {
		return lists[0]
	}
	return code.Core("Places").Call(lists...)
}

// rowFieldsOf are the places of a row of a datatype; at is its address.
func rowFieldsOf(c sqlc.UserValue, at jen.Code) jen.Code {
	fields := jen.Id(code.Table{D: c.Row}.Fields())
	if c.Null {
		return code.Core("NullRow").Call(at, fields)
	}
	return fields.Call(at, jen.Nil())
}

// asField returns a value as a model field, so that types and fields are chosen as
// for the columns of a table.
func asField(v sqlc.UserValue) *model.Field {
	f := model.Field{Type: v.Type, Scale: v.Scale}
	if v.Field != nil {
		f = *v.Field
	}
	f.NotNull = !v.Null
	return &f
}

func paramType(v sqlc.UserValue) *jen.Statement {
	if v.List {
		return jen.Index().Add(valueType(v))
	}
	return valueType(v)
}

func valueType(v sqlc.UserValue) *jen.Statement {
	base := valueBase(v)
	if v.Array {
		return jen.Index().Add(base)
	}
	if v.Null {
		return code.Store("Null").Types(base)
	}
	return base
}

// arrayArgument is a slice as the store takes it for an array: of the plain type of its values.
func arrayArgument(v sqlc.UserValue, slice *jen.Statement) jen.Code {
	if selects(v) {
		return code.Core("OptionArray").Call(slice, jen.Lit(v.Datatype.Name), jen.Lit(v.Field.Name), jen.Id(v.Field.EnumGoName+"Values").Call())
	}
	switch v.Kind() {
	case check.Int:
		return code.Core("Integers").Call(slice)
	case check.Text:
		return code.Core("Texts").Call(slice)
	}
	return slice
}

func valueBase(v sqlc.UserValue) *jen.Statement {
	if v.Row != nil {
		return jen.Id(v.Row.GoRow)
	}
	if v.Datatype != nil && (v.Type == "id" || v.Type == "ulid") && (v.Field == nil || v.Field.References == nil) {
		return jen.Id(v.Datatype.GoRow + "ID")
	}
	return code.Type(asField(v))
}

// paramField is what a parameter is bound from. A select is checked against its
// options before the statement runs: the database would find no row with another
// value, silently.
func paramField(v sqlc.UserValue, of *jen.Statement) jen.Code {
	if v.Array {
		return arrayArgument(v, of)
	}
	if v.List {
		element := v
		element.List = false
		return code.Core("ListAs").Call(of, jen.Func().Params(jen.Id("v").Op("*").Add(valueType(element))).Any().Block(jen.Return(paramAt(element, jen.Id("v")))))
	}
	return paramAt(v, jen.Op("&").Add(of))
}

func paramAt(v sqlc.UserValue, at jen.Code) jen.Code {
	if selects(v) {
		check := "Option"
		if v.Null {
			check = "NullOption"
		}
		return code.Core(check).Call(at, jen.Lit(v.Datatype.Name), jen.Lit(v.Field.Name), jen.Id(v.Field.EnumGoName+"Values").Call())
	}
	return valueField(v, at)
}

// selects reports whether a parameter meets a select, whose options it is checked against. A
// secret's stay out of errors.
func selects(v sqlc.UserValue) bool {
	return v.Field != nil && v.Field.EnumGoName != "" && v.Datatype != nil && !v.Field.Hidden()
}

// valueField is what a value is bound from and scanned into; at is its address.
func valueField(v sqlc.UserValue, at jen.Code) jen.Code {
	f := asField(v)
	if v.Datatype != nil && (v.Type == "id" || v.Type == "ulid") && f.NotNull {
		return jen.Parens(jen.Op("*").Id(f.Storage().Go)).Parens(at)
	}
	return code.FieldAt(f, at)
}
