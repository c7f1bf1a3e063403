package golang

import (
	"github.com/dave/jennifer/jen"

	"github.com/hegner123/modulagen/gen/golang/code"
	"github.com/hegner123/modulagen/gen/goname"
	"github.com/hegner123/modulagen/gen/model"
)

// spec prints what the store must know of the datatype.
func (t tablePrinter) spec(f *jen.File) {
	row := goname.Unexported(t.D.GoRow)
	dict := jen.Dict{
		jen.Id("Name"):    jen.Lit(t.D.Name),
		jen.Id("ID"):      code.Core(map[model.IDKind]string{model.IDInteger: "IDInteger", model.IDULID: "IDULID"}[t.D.ID]),
		jen.Id("Columns"): t.columnList(),
		jen.Id("Keys"):    t.keyList(),
		jen.Id("Row"):     jen.Func().Params().Any().Block(jen.Return(jen.New(jen.Id(t.D.GoRow)))),
		jen.Id("Fields"):  jen.Id(t.Fields()),
		jen.Id("New"):     jen.Id(row + "New"),
		jen.Id("Patch"):   jen.Id(row + "Patch"),
	}
	for _, field := range t.D.Fields {
		if field.Touched {
			dict[jen.Id("Touched")] = jen.Lit(t.Position(field))
		}
		if field.Raised {
			dict[jen.Id("Version")] = jen.Lit(t.Position(field))
		}
		if field.Guarded() {
			dict[jen.Id("Workflow")] = t.workflow(field)
		}
	}
	f.Var().Id(t.Spec()).Op("=").Add(code.Core("Spec")).Values(dict)
	f.Line()
	t.tableDef(f, jen.Id(t.Spec()).Dot("Columns"))
	t.fieldsFunc(f)
	t.fillNew(f)
	t.fillPatch(f)
}

// workflow prints which options of a select may follow which.
func (t tablePrinter) workflow(field *model.Field) jen.Code {
	return jen.Op("&").Add(code.Core("Workflow")).Values(jen.Dict{
		jen.Id("Column"): jen.Lit(t.Position(field)),
		jen.Id("Moves"): jen.Index().Add(code.Core("Moves")).ValuesFunc(func(g *jen.Group) {
			for _, m := range field.Moves {
				g.Line().Values(jen.Id("From").Op(":").Lit(m.From), jen.Id("To").Op(":").Index().String().ValuesFunc(func(g *jen.Group) {
					for _, to := range m.To {
						g.Lit(to)
					}
				}))
			}
			g.Line()
		}),
	})
}

func (t tablePrinter) columnList() jen.Code {
	return jen.Index().Add(code.Core("Column")).ValuesFunc(func(g *jen.Group) {
		for _, field := range t.D.Columns() {
			g.Line().Add(columnValue(field))
		}
		g.Line()
	})
}

// columnValue prints one column on one line: a table of them reads best so.
func columnValue(f *model.Field) jen.Code {
	reported := f.ColumnTypes().Reported()
	parts := []jen.Code{
		jen.Id("Name").Op(":").Lit(f.Name),
		jen.Id("Rules").Op(":").Add(code.Rules(f)),
	}
	if !f.NotNull {
		parts = append(parts, jen.Id("Null").Op(":").True())
	}
	parts = append(parts, jen.Id("Types").Op(":").Index(jen.Lit(3)).String().Values(
		jen.Lit(reported[0]), jen.Lit(reported[1]), jen.Lit(reported[2])))
	return jen.Values(parts...)
}

func (t tablePrinter) keyList() jen.Code {
	return jen.Index().Add(code.Core("Key")).ValuesFunc(func(g *jen.Group) {
		for _, key := range t.D.Keys() {
			g.Line().Values(jen.Id("Name").Op(":").Lit(key.Name), jen.Id("Columns").Op(":").Add(t.positions(key)))
		}
		g.Line()
	})
}

func (t tablePrinter) positions(x *model.Index) jen.Code {
	return jen.Index().Int().ValuesFunc(func(g *jen.Group) {
		for _, c := range x.Columns {
			g.Lit(t.Position(c.Field))
		}
	})
}

// tableDef prints the table as Open expects to find it.
func (t tablePrinter) tableDef(f *jen.File, columns jen.Code) {
	f.Var().Id(goname.Unexported(t.D.GoRow) + "TableDef").Op("=").Add(code.Core("TableDef")).Values(jen.DictFunc(func(d jen.Dict) {
		d[jen.Id("Name")] = jen.Lit(t.D.Name)
		d[jen.Id("Columns")] = columns
		d[jen.Id("Indexes")] = jen.Index().Add(code.Core("Index")).ValuesFunc(func(g *jen.Group) {
			for _, x := range t.D.Indexes {
				g.Line().Add(t.indexValue(x))
			}
			g.Line()
		})
		if generated := t.generatedColumns(); len(generated) > 0 {
			d[jen.Id("Generated")] = jen.Index().Add(code.Core("Column")).Values(generated...)
		}
	}))
	f.Line()
}

// generatedColumns are those that only MySQL's tables have.
func (t tablePrinter) generatedColumns() []jen.Code {
	var out []jen.Code
	for _, x := range t.D.Indexes {
		if x.Unique && len(x.Where) > 0 {
			out = append(out, jen.Values(
				jen.Id("Name").Op(":").Lit(x.WhenColumn()), jen.Id("Null").Op(":").True(),
				jen.Id("Types").Op(":").Index(jen.Lit(3)).String().Values(jen.Lit(""), jen.Lit(""), jen.Lit("tinyint(1)")),
			))
		}
	}
	return out
}

func (t tablePrinter) indexValue(x *model.Index) jen.Code {
	parts := []jen.Code{jen.Id("Name").Op(":").Lit(x.Name), jen.Id("Columns").Op(":").Add(t.positions(x))}
	desc, any := make([]jen.Code, len(x.Columns)), false
	for i, c := range x.Columns {
		desc[i] = jen.Lit(c.Desc)
		any = any || c.Desc
	}
	if any {
		parts = append(parts, jen.Id("Desc").Op(":").Index().Bool().Values(desc...))
	}
	if x.Unique {
		parts = append(parts, jen.Id("Unique").Op(":").True())
	}
	if len(x.Where) > 0 {
		parts = append(parts, jen.Id("Partial").Op(":").True())
	}
	return jen.Values(parts...)
}

// fieldsFunc prints the one list from which rows are both read and written.
func (t tablePrinter) fieldsFunc(f *jen.File) {
	f.Func().Id(t.Fields()).Params(jen.Id("row").Any(), jen.Id("buf").Index().Any()).Index().Any().Block(
		jen.Id("r").Op(":=").Id("row").Assert(jen.Op("*").Id(t.D.GoRow)),
		jen.Return(jen.Append(jen.Id("buf"), jen.CustomFunc(jen.Options{Separator: ",", Multi: true}, func(g *jen.Group) {
			g.Parens(jen.Op("*").Id(t.D.IDField().Storage().Go)).Parens(jen.Op("&").Id("r").Dot("ID"))
			for _, field := range t.D.Fields {
				g.Add(code.FieldOf(field, "r"))
			}
		}))),
	)
	f.Line()
}

// assert begins a function that fills the row r: name is what it is filled from.
func (t tablePrinter) assert(g *jen.Group, name, from, suffix string) {
	g.List(jen.Id(name), jen.Id("r")).Op(":=").List(
		jen.Id(from).Assert(jen.Op("*").Id(t.D.GoRow+suffix)), jen.Id("row").Assert(jen.Op("*").Id(t.D.GoRow)))
}

func (t tablePrinter) fillNew(f *jen.File) {
	now := "_"
	for _, field := range t.D.Fields {
		if field.Default != nil && (field.Default.Now || field.Default.Call != nil) {
			now = "now"
		}
	}
	f.Func().Id(goname.Unexported(t.D.GoRow)+"New").Params(
		jen.List(jen.Id("given"), jen.Id("row")).Any(), jen.Id("m").Op("*").Add(code.Core("Mask")), jen.Id(now).Qual("time", "Time"),
	).BlockFunc(func(g *jen.Group) {
		t.assert(g, "n", "given", "New")
		if t.D.ID == model.IDULID {
			g.Id("r").Dot("ID").Op("=").Id(t.IDType()).Parens(code.Core("NewULID").Call())
		}
		for i, field := range t.D.Fields {
			at, given := jen.Id("r").Dot(field.GoName), code.Input("n", field)
			put := []jen.Code{jen.Id("m"), jen.Lit(i + 1), jen.Op("&").Add(at), given}
			switch {
			case field.Kept && field.Default != nil && field.Default.Call != nil:
				g.Add(at).Op("=").Add(called(field.Default.Call))
			case field.Kept && field.Default != nil:
				g.Add(at).Op("=").Add(code.DefaultOf(field))
			case field.Kept: // it is null
			case code.PlainInNew(field):
				g.Add(at).Op("=").Add(given)
				g.Id("m").Dot("Add").Call(jen.Lit(i + 1))
			case !field.NotNull:
				g.Add(code.Core("PutNull")).Call(put...)
			case field.Default.Call != nil:
				g.Add(code.Core("Put")).Call(append(put, called(field.Default.Call))...)
			default:
				g.Add(code.Core("Put")).Call(append(put, code.DefaultOf(field))...)
			}
		}
	})
	f.Line()
}

func (t tablePrinter) fillPatch(f *jen.File) {
	f.Func().Id(goname.Unexported(t.D.GoRow)+"Patch").Params(
		jen.List(jen.Id("given"), jen.Id("row")).Any(), jen.Id("m").Op("*").Add(code.Core("Mask")),
	).BlockFunc(func(g *jen.Group) {
		t.assert(g, "p", "given", "Patch")
		for i, field := range t.D.Fields {
			if field.Kept || field.Guarded() {
				continue
			}
			name := "Patch"
			if !field.NotNull {
				name = "PutNull"
			}
			to := code.Input("p", field)
			if field.Patch != nil {
				to = called(field.Patch)
			}
			g.Add(code.Core(name)).Call(jen.Id("m"), jen.Lit(i+1), jen.Op("&").Id("r").Dot(field.GoName), to)
		}
	})
	f.Line()
}
