package golang

import (
	"fmt"

	"github.com/dave/jennifer/jen"

	"github.com/hegner123/modulagen/gen/dialect"
	"github.com/hegner123/modulagen/gen/goname"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/check"
)

// tablePrinter prints the file of one datatype.
type tablePrinter struct {
	d   *model.Datatype
	sql [3]dialect.Table
}

func (t tablePrinter) print(f *jen.File) {
	t.id(f)
	if t.d.AddedFor != "" { // a behavior's own statements read and write it
		t.tableDef(f, t.columnList())
		return
	}
	t.row(f)
	for _, field := range t.d.Fields {
		if field.EnumGoName != "" {
			printEnum(f, t.d, field)
		}
		for _, inner := range field.JSONFields {
			if inner.EnumGoName != "" {
				printEnum(f, t.d, inner)
			}
		}
		if field.JSONGoName != "" {
			printStruct(f, field.JSONGoName, fmt.Sprintf("is the %s of %s.", field.Name, t.d.Name), field.JSONFields)
		}
	}
	t.newRow(f)
	t.patch(f)
	t.columns(f)
	t.methods(f)
	t.spec(f)
	if t.d.Worker != nil {
		t.queue(f)
	}
	if t.d.Cache != nil {
		t.cache(f)
	}
	t.effects(f)
}

func (t tablePrinter) idType() string { return t.d.GoRow + "ID" }

func (t tablePrinter) id(f *jen.File) {
	base := t.d.IDField().Storage().Go
	f.Add(comment(t.idType() + " names one row of " + t.d.Name + "."))
	f.Type().Id(t.idType()).Id(base)
	f.Line()
}

func (t tablePrinter) row(f *jen.File) {
	lines := []string{t.d.GoRow + " is one row of " + t.d.Name + "."}
	if t.d.Description != "" {
		lines = append(lines, "", t.d.Description)
	}
	f.Add(comment(lines...))
	f.Type().Id(t.d.GoRow).StructFunc(func(g *jen.Group) {
		g.Id("ID").Id(t.idType()).Tag(map[string]string{"json": "id"})
		for _, field := range t.d.Fields {
			if field.Help != "" {
				g.Add(comment(field.Help))
			}
			g.Id(field.GoName).Add(rowType(field)).Tag(jsonTag(field))
		}
	})
	f.Line()
	printSecrecy(f, t.d.GoRow, t.d.Fields, shown, columnMember)
}

// jsonTag keeps secrets out of what a program prints of a row by accident.
func jsonTag(field *model.Field) map[string]string {
	if field.Hidden() {
		return map[string]string{"json": "-"}
	}
	return map[string]string{"json": field.Name}
}

// inputTag is of a field that a caller fills: unset ones stay out of JSON, where
// they would come back as null.
func inputTag(field *model.Field, required bool) map[string]string {
	if required {
		return map[string]string{"json": field.Name}
	}
	return map[string]string{"json": field.Name + ",omitzero"}
}

func (t tablePrinter) newRow(f *jen.File) {
	name := t.d.GoRow + "New"
	f.Add(comment(name + " is a row of " + t.d.Name + " to be. What is left unset takes its default, or is null."))
	f.Type().Id(name).StructFunc(func(g *jen.Group) {
		for _, field := range t.d.Fields {
			s := g.Id(field.GoName).Add(newType(field)).Tag(inputTag(field, plainInNew(field)))
			switch {
			case plainInNew(field):
				s.Comment("required")
			case field.Default != nil && field.Default.Now:
				s.Comment("default: now")
			case field.Default != nil && field.Storage().Kind != check.JSON && len(field.Default.Text) < 40:
				s.Comment("default: " + commentLine(field.Default.Text)[3:])
			}
		}
	})
	f.Line()
	printSecrecy(f, name, t.d.Fields, written, columnMember)
}

func (t tablePrinter) patch(f *jen.File) {
	name := t.d.GoRow + "Patch"
	f.Add(comment(name + " is a change to a row of " + t.d.Name + ". What is left unset stays as it is."))
	f.Type().Id(name).StructFunc(func(g *jen.Group) {
		for _, field := range t.d.Fields {
			g.Id(field.GoName).Add(store("Opt").Types(goType(field))).Tag(inputTag(field, false))
		}
	})
	f.Line()
	printSecrecy(f, name, t.d.Fields, written, columnMember)
}

// columns prints the typed columns that filters and sorts name.
func (t tablePrinter) columns(f *jen.File) {
	name := t.d.GoRow + "Fields"
	f.Add(comment(name + " are the columns of " + t.d.Name + ", for filters and sorts."))
	f.Var().Id(name).Op("=").StructFunc(func(g *jen.Group) {
		g.Id("ID").Add(t.column("Col", "Col", t.d.IDField(), jen.Id(t.idType())))
		for _, field := range t.d.Fields {
			g.Id(field.GoName).Add(t.columnType(field))
		}
	}).ValuesFunc(func(g *jen.Group) {
		g.Line().Id("ID").Op(":").Add(store("FieldOf").Types(jen.Id(t.idType()), jen.Id(t.idType()))).Call(jen.Lit(0))
		for i, field := range t.d.Fields {
			g.Line().Id(field.GoName).Op(":").Add(t.columnMaker(field)).Call(jen.Lit(i + 1))
		}
		g.Line()
	})
	f.Line()
	t.aliases(f)
}

func (t tablePrinter) columnType(f *model.Field) *jen.Statement {
	return t.column("OpaqueCol", "Col", f, goType(f))
}

func (t tablePrinter) columnMaker(f *model.Field) *jen.Statement {
	return t.column("OpaqueOf", "FieldOf", f, goType(f))
}

// column picks the kind of column by what can be asked of its values.
func (t tablePrinter) column(opaque, plain string, f *model.Field, value *jen.Statement) *jen.Statement {
	id := jen.Id(t.idType())
	switch st := f.Storage(); {
	case st.Opaque:
		return store(opaque).Types(id)
	case st.Text && f.EnumGoName == "" && f.References == nil && f.Type != "ulid":
		return store(map[string]string{"Col": "TextCol", "FieldOf": "TextOf"}[plain]).Types(id, value)
	}
	return store(plain).Types(id, value)
}

func (t tablePrinter) aliases(f *jen.File) {
	id := jen.Id(t.idType())
	f.Add(comment("The forms of a question to " + t.d.Name + " and of its answer."))
	f.Type().Defs(
		jen.Id(t.d.GoRow+"Query").Op("=").Add(store("Query")).Types(id),
		jen.Id(t.d.GoRow+"Filter").Op("=").Add(store("Cond")).Types(id),
		jen.Id(t.d.GoRow+"Sort").Op("=").Add(store("Order")).Types(id),
		jen.Id(t.d.GoRow+"Page").Op("=").Add(store("Page")).Types(jen.Id(t.d.GoRow)),
	)
	f.Line()
}

func (t tablePrinter) tableType() string { return t.d.GoRow + "Table" }

// param is a field's name as a parameter. The trailing mark keeps it from
// hiding a word of the language or a name that the function uses.
func param(f *model.Field) string {
	name := goname.Unexported(f.GoName)
	if goWords[name] {
		return name + "_"
	}
	return name
}

var goWords = map[string]bool{
	"break": true, "case": true, "chan": true, "const": true, "continue": true, "default": true, "defer": true,
	"else": true, "fallthrough": true, "for": true, "func": true, "go": true, "goto": true, "if": true, "import": true,
	"interface": true, "map": true, "package": true, "range": true, "return": true, "select": true, "struct": true,
	"switch": true, "type": true, "var": true, "ctx": true, "t": true, "n": true, "store": true, "check": true,
	"r": true, "new": true, "queue": true, "context": true, "string": true, "int64": true, "bool": true, "time": true, "error": true,
	"cache": true, "decimal": true, "q": true, "true": true, "false": true, "nil": true, "byte": true,
}
