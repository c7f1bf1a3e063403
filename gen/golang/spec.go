package golang

import (
	"github.com/dave/jennifer/jen"

	"github.com/hegner123/modulagen/gen/goname"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/check"
)

func (t tablePrinter) specName() string { return goname.Unexported(t.d.GoRow) + "Spec" }

// spec prints what the store must know of the datatype.
func (t tablePrinter) spec(f *jen.File) {
	row := goname.Unexported(t.d.GoRow)
	f.Var().Id(t.specName()).Op("=").Add(store("Spec")).Values(jen.Dict{
		jen.Id("Name"):    jen.Lit(t.d.Name),
		jen.Id("ID"):      store(map[model.IDKind]string{model.IDInteger: "IDInteger", model.IDULID: "IDULID"}[t.d.ID]),
		jen.Id("Columns"): t.columnList(),
		jen.Id("Keys"):    t.keyList(),
		jen.Id("Row"):     jen.Func().Params().Any().Block(jen.Return(jen.New(jen.Id(t.d.GoRow)))),
		jen.Id("Fields"):  jen.Id(row + "Fields"),
		jen.Id("New"):     jen.Id(row + "New"),
		jen.Id("Patch"):   jen.Id(row + "Patch"),
	})
	f.Line()
	t.tableDef(f, jen.Id(t.specName()).Dot("Columns"))
	t.fieldsFunc(f)
	t.fillNew(f)
	t.fillPatch(f)
}

func (t tablePrinter) columnList() jen.Code {
	return jen.Index().Add(store("Column")).ValuesFunc(func(g *jen.Group) {
		for _, field := range t.d.Columns() {
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
		jen.Id("Rules").Op(":").Add(rulesValue(f)),
	}
	if !f.NotNull {
		parts = append(parts, jen.Id("Null").Op(":").True())
	}
	parts = append(parts, jen.Id("Types").Op(":").Index(jen.Lit(3)).String().Values(
		jen.Lit(reported[0]), jen.Lit(reported[1]), jen.Lit(reported[2])))
	return jen.Values(parts...)
}

// rulesValue prints the rules that the runtime checks before each write.
func rulesValue(f *model.Field) jen.Code {
	r := f.Rules
	kinds := map[check.Kind]string{
		check.Text: "Text", check.Int: "Int", check.Decimal: "Decimal", check.Bool: "Bool",
		check.Time: "Time", check.Date: "Date", check.JSON: "JSON", check.Bytes: "Bytes",
	}
	formats := map[check.Format]string{check.Email: "Email", check.URL: "URL", check.Slug: "Slug"}
	parts := []jen.Code{jen.Id("Kind").Op(":").Qual(checkPath, kinds[f.Storage().Kind])}
	add := func(name string, value jen.Code) { parts = append(parts, jen.Id(name).Op(":").Add(value)) }
	if r.Format != "" {
		add("Format", jen.Qual(checkPath, formats[r.Format]))
	}
	switch {
	case f.References != nil && f.Storage().Kind == check.Int:
		add("Min", jen.Qual(checkPath, "At").Call(jen.Lit("1"))) // ids start there; 0 is one that was forgotten
	case f.Required:
		add("Required", jen.True())
	}
	if f.Secret {
		add("Secret", jen.True())
	}
	if r.Min.IsSet() {
		add("Min", jen.Qual(checkPath, "At").Call(jen.Lit(r.Min.String())))
	}
	if r.Max.IsSet() {
		add("Max", jen.Qual(checkPath, "At").Call(jen.Lit(r.Max.String())))
	}
	if r.Pattern != "" {
		add("Pattern", jen.Lit(r.Pattern))
	}
	if len(f.Options) > 0 {
		values := make([]jen.Code, len(f.Options))
		for i, o := range f.Options {
			values[i] = jen.Lit(o.Value)
		}
		add("Options", jen.Index().String().Values(values...))
	}
	if f.Type == "decimal" && f.Scale > 0 {
		add("Scale", jen.Lit(f.Scale))
	}
	if len(r.Rules) > 0 {
		add("Rules", jen.Qual(checkPath, "MustParse").Call(jen.Lit(check.Document(r.Rules))))
	}
	if len(f.JSONFields) > 0 {
		add("Fields", membersValue(f.JSONFields))
	}
	return jen.Qual(checkPath, "Rules").Values(parts...)
}

func membersValue(fields []*model.Field) jen.Code {
	return jen.Index().Qual(checkPath, "Member").ValuesFunc(func(g *jen.Group) {
		for _, field := range fields {
			g.Line().Values(jen.Id("Name").Op(":").Lit(field.Name), jen.Id("Rules").Op(":").Add(rulesValue(field)))
		}
		g.Line()
	})
}

// position gives a field's column number.
func (t tablePrinter) position(f *model.Field) int {
	for i, o := range t.d.Fields {
		if o == f {
			return i + 1
		}
	}
	return 0
}

func (t tablePrinter) keyList() jen.Code {
	return jen.Index().Add(store("Key")).ValuesFunc(func(g *jen.Group) {
		for _, key := range t.d.Keys() {
			g.Line().Values(jen.Id("Name").Op(":").Lit(key.Name), jen.Id("Columns").Op(":").Add(t.positions(key)))
		}
		g.Line()
	})
}

func (t tablePrinter) positions(x *model.Index) jen.Code {
	return jen.Index().Int().ValuesFunc(func(g *jen.Group) {
		for _, c := range x.Columns {
			g.Lit(t.position(c.Field))
		}
	})
}

// tableDef prints the table as Open expects to find it.
func (t tablePrinter) tableDef(f *jen.File, columns jen.Code) {
	f.Var().Id(goname.Unexported(t.d.GoRow) + "TableDef").Op("=").Add(store("TableDef")).Values(jen.DictFunc(func(d jen.Dict) {
		d[jen.Id("Name")] = jen.Lit(t.d.Name)
		d[jen.Id("Columns")] = columns
		d[jen.Id("Indexes")] = jen.Index().Add(store("Index")).ValuesFunc(func(g *jen.Group) {
			for _, x := range t.d.Indexes {
				g.Line().Add(t.indexValue(x))
			}
			g.Line()
		})
		if generated := t.generatedColumns(); len(generated) > 0 {
			d[jen.Id("Generated")] = jen.Index().Add(store("Column")).Values(generated...)
		}
	}))
	f.Line()
}

// generatedColumns are those that only MySQL's tables have.
func (t tablePrinter) generatedColumns() []jen.Code {
	var out []jen.Code
	for _, x := range t.d.Indexes {
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
	f.Func().Id(goname.Unexported(t.d.GoRow)+"Fields").Params(jen.Id("row").Any(), jen.Id("buf").Index().Any()).Index().Any().Block(
		jen.Id("r").Op(":=").Id("row").Assert(jen.Op("*").Id(t.d.GoRow)),
		jen.Return(jen.Append(jen.Id("buf"), jen.CustomFunc(jen.Options{Separator: ",", Multi: true}, func(g *jen.Group) {
			g.Parens(jen.Op("*").Id(t.d.IDField().Storage().Go)).Parens(jen.Op("&").Id("r").Dot("ID"))
			for _, field := range t.d.Fields {
				g.Add(fieldOf(field, "r"))
			}
		}))),
	)
	f.Line()
}

// assert begins a function that fills the row r: name is what it is filled from.
func (t tablePrinter) assert(g *jen.Group, name, from, suffix string) {
	g.List(jen.Id(name), jen.Id("r")).Op(":=").List(
		jen.Id(from).Assert(jen.Op("*").Id(t.d.GoRow+suffix)), jen.Id("row").Assert(jen.Op("*").Id(t.d.GoRow)))
}

func (t tablePrinter) fillNew(f *jen.File) {
	now := "_"
	for _, field := range t.d.Fields {
		if field.Default != nil && field.Default.Now || t.d.Worker != nil {
			now = "now"
		}
	}
	f.Func().Id(goname.Unexported(t.d.GoRow)+"New").Params(
		jen.List(jen.Id("given"), jen.Id("row")).Any(), jen.Id("m").Op("*").Add(store("Mask")), jen.Id(now).Qual("time", "Time"),
	).BlockFunc(func(g *jen.Group) {
		t.assert(g, "n", "given", "New")
		if t.d.ID == model.IDULID {
			g.Id("r").Dot("ID").Op("=").Id(t.idType()).Parens(store("NewULID").Call())
		}
		for i, field := range t.d.Fields {
			at, given := jen.Id("r").Dot(field.GoName), jen.Id("n").Dot(field.GoName)
			put := []jen.Code{jen.Id("m"), jen.Lit(i + 1), jen.Op("&").Add(at), given}
			switch {
			case plainInNew(field):
				g.Add(at).Op("=").Add(given)
				g.Id("m").Dot("Add").Call(jen.Lit(i + 1))
			case !field.NotNull:
				g.Add(store("PutNull")).Call(put...)
			case t.d.Worker != nil && field == t.d.Worker.Hold:
				at, now := value("r", t.d.Worker.Section.RunAt), jen.Id("now")
				g.Add(store("Put")).Call(append(put, queued("HoldUntil").Call(at, now))...)
			case t.d.Worker != nil && field == t.d.Worker.Rank:
				g.Add(store("Put")).Call(append(put, t.rank())...)
			default:
				g.Add(store("Put")).Call(append(put, defaultOf(field))...)
			}
		}
	})
	f.Line()
}

// rank is the moment of enqueueing, less what the row's priority is worth.
func (t tablePrinter) rank() jen.Code {
	q := t.d.Worker.Section
	priority := jen.Id("r").Dot(q.Order[0].Field.GoName)
	return queued("Rank").Call(jen.Id("now"), priority, duration(q.Ageing))
}

func (t tablePrinter) fillPatch(f *jen.File) {
	f.Func().Id(goname.Unexported(t.d.GoRow)+"Patch").Params(
		jen.List(jen.Id("given"), jen.Id("row")).Any(), jen.Id("m").Op("*").Add(store("Mask")),
	).BlockFunc(func(g *jen.Group) {
		t.assert(g, "p", "given", "Patch")
		for i, field := range t.d.Fields {
			name := "Patch"
			if !field.NotNull {
				name = "PutNull"
			}
			to := jen.Id("p").Dot(field.GoName)
			if w := t.d.Worker; w != nil && field == w.Hold {
				to = queued("HoldChanged").Call(to, jen.Id("p").Dot(w.Section.RunAt.GoName))
			}
			g.Add(store(name)).Call(jen.Id("m"), jen.Lit(i+1), jen.Op("&").Id("r").Dot(field.GoName), to)
		}
	})
	f.Line()
}
