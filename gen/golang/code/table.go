package code

import (
	"slices"

	"github.com/dave/jennifer/jen"

	"github.com/hegner123/modulagen/gen/dialect"
	"github.com/hegner123/modulagen/gen/goname"
	"github.com/hegner123/modulagen/gen/model"
)

// Table prints what belongs to one datatype.
type Table struct {
	D   *model.Datatype
	SQL [3]dialect.Table
}

// IDType is the name of the id's type.
func (t Table) IDType() string { return t.D.GoRow + "ID" }

// Type is the name of the type that has the methods.
func (t Table) Type() string { return t.D.GoRow + "Table" }

// Spec is the name of what the store knows of the datatype.
func (t Table) Spec() string { return goname.Unexported(t.D.GoRow) + "Spec" }

// Fields is the name of the function that returns the places of a row's columns.
func (t Table) Fields() string { return goname.Unexported(t.D.GoRow) + "Fields" }

// Method begins a method of the table.
func (t Table) Method(f *jen.File, name string, doc ...string) *jen.Statement {
	f.Add(Comment(doc...))
	return f.Func().Params(jen.Id("t").Op("*").Id(t.Type())).Id(name)
}

// RowPointer is the type of what methods return: a row.
func (t Table) RowPointer() *jen.Statement { return jen.Op("*").Id(t.D.GoRow) }

// IDParam is the id of a row as a parameter of a method.
func (t Table) IDParam() jen.Code { return jen.Id("id").Id(t.IDType()) }

// PlainID is that id as the core takes it.
func (t Table) PlainID() jen.Code {
	return jen.Id(t.D.IDField().Storage().Go).Parens(jen.Id("id"))
}

// OnCore calls a method of the core in a method of the table.
func OnCore(name string, args ...jen.Code) *jen.Statement {
	return jen.Id("t").Dot("core").Dot(name).Call(append([]jen.Code{jen.Id("ctx")}, args...)...)
}

// ReturnsRow prints a method whose call fills the row r.
func (t Table) ReturnsRow(f *jen.File, name string, doc []string, params []jen.Code, call *jen.Statement) {
	t.Method(f, name, doc...).Params(append([]jen.Code{Ctx()}, params...)...).Params(t.RowPointer(), jen.Error()).Block(
		jen.Id("r").Op(":=").New(jen.Id(t.D.GoRow)),
		jen.If(jen.Err().Op(":=").Add(call), jen.Err().Op("!=").Nil()).Block(jen.Return(jen.Nil(), jen.Err())),
		jen.Return(jen.Id("r"), jen.Nil()),
	)
	f.Line()
}

// Conn is what a method of the table runs on.
func (t Table) Conn() *jen.Statement { return jen.Id("t").Dot("Conn").Call() }

// Position returns a field's column number.
func (t Table) Position(f *model.Field) int {
	for i, o := range t.D.Fields {
		if o == f {
			return i + 1
		}
	}
	return 0
}

// Runs reports whether a write of the kind has an effect that runs something.
func (t Table) Runs(on model.Writes) bool {
	return slices.ContainsFunc(t.D.Effects, func(e model.Effect) bool { return e.On&on != 0 && e.Run != nil })
}

// Statement prints one query in its three texts.
func (t Table) Statement(name string) jen.Code {
	var texts [3]string
	var orders [3][]int
	for i, table := range t.SQL {
		for _, q := range table.Queries {
			if q.Name == name {
				texts[i], orders[i] = q.Text, q.Args
			}
		}
	}
	return Statement(texts, orders, false)
}

// Option is the constant of a select's value.
func Option(f *model.Field, value string) jen.Code {
	for _, o := range f.Options {
		if o.Value == value {
			return jen.Id(o.GoName)
		}
	}
	return jen.Lit(value)
}
