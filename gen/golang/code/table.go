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

// Method begins a method of the table.
func (t Table) Method(f *jen.File, name string, doc ...string) *jen.Statement {
	f.Add(Comment(doc...))
	return f.Func().Params(jen.Id("t").Op("*").Id(t.Type())).Id(name)
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
