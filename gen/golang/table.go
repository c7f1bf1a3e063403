package golang

import (
	"fmt"
	"slices"

	"github.com/dave/jennifer/jen"

	"github.com/hegner123/modulagen/gen/golang/code"
	"github.com/hegner123/modulagen/gen/goname"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/check"
)

// tablePrinter prints the file of one datatype.
type tablePrinter struct {
	code.Table
	behaviors []Behavior
}

func (t tablePrinter) print(f *jen.File) {
	t.id(f)
	if t.D.AddedFor != "" { // a behavior's own statements read and write it
		t.tableDef(f, t.columnList())
		t.ofBehaviors(f)
		return
	}
	t.row(f)
	for _, field := range t.D.Fields {
		if field.EnumGoName != "" {
			code.Enum(f, t.D, field)
		}
		for _, inner := range field.JSONFields {
			if inner.EnumGoName != "" {
				code.Enum(f, t.D, inner)
			}
		}
		if field.JSONGoName != "" {
			code.Struct(f, field.JSONGoName, fmt.Sprintf("is the %s of %s.", field.Name, t.D.Name), field.JSONFields)
		}
	}
	t.newRow(f)
	t.patch(f)
	t.columns(f)
	t.methods(f)
	t.spec(f)
	t.ofBehaviors(f)
	t.effects(f)
}

// ofBehaviors prints what behaviors add to the file of a datatype with their sections.
func (t tablePrinter) ofBehaviors(f *jen.File) {
	for _, b := range t.behaviors {
		if t.D.Section(b.Name()) != nil {
			b.Datatype(f, t.Table)
		}
	}
}

func (t tablePrinter) id(f *jen.File) {
	base := t.D.IDField().Storage().Go
	f.Add(code.Comment(t.IDType() + " names one row of " + t.D.Name + "."))
	f.Type().Id(t.IDType()).Id(base)
	f.Line()
}

func (t tablePrinter) row(f *jen.File) {
	lines := []string{t.D.GoRow + " is one row of " + t.D.Name + "."}
	if t.D.Description != "" {
		lines = append(lines, "", t.D.Description)
	}
	f.Add(code.Comment(lines...))
	f.Type().Id(t.D.GoRow).StructFunc(func(g *jen.Group) {
		g.Id("ID").Id(t.IDType()).Tag(map[string]string{"json": "id"})
		for _, field := range t.D.Fields {
			if field.Help != "" {
				g.Add(code.Comment(field.Help))
			}
			g.Id(field.GoName).Add(code.RowType(field)).Tag(jsonTag(field))
		}
	})
	f.Line()
	code.HideSecrets(f, t.D.GoRow, t.D.Fields, code.Shown, code.ColumnMember)
}

// jsonTag keeps secrets out of what a program prints of a row by accident.
func jsonTag(field *model.Field) map[string]string {
	if field.Hidden() {
		return code.Tag(field, "-")
	}
	return code.Tag(field, field.Name)
}

// inputTag is of a field that a caller fills: unset ones stay out of JSON, where
// they would come back as null.
func inputTag(field *model.Field, required bool) map[string]string {
	if required {
		return code.Tag(field, field.Name)
	}
	return code.Tag(field, field.Name+",omitzero")
}

func (t tablePrinter) newRow(f *jen.File) {
	name := t.D.GoRow + "New"
	f.Add(code.Comment(name + " is a row of " + t.D.Name + " to be. What is left unset takes its default, or is null."))
	f.Type().Id(name).StructFunc(func(g *jen.Group) {
		for _, field := range code.Writable(t.D) {
			s := g.Id(field.GoName).Add(code.NewType(field)).Tag(inputTag(field, code.PlainInNew(field)))
			switch {
			case code.PlainInNew(field):
				s.Comment("required")
			case field.Default != nil && field.Default.Now:
				s.Comment("default: now")
			case field.Default != nil && field.Storage().Kind != check.JSON && len(field.Default.Text) < 40:
				s.Comment("default: " + code.CommentLine(field.Default.Text)[3:])
			}
		}
		t.ownField(g)
	})
	f.Line()
	code.HideSecrets(f, name, code.Writable(t.D), code.Written, code.ColumnMember)
}

func (t tablePrinter) patch(f *jen.File) {
	name := t.D.GoRow + "Patch"
	doc := []string{name + " is a change to a row of " + t.D.Name + ". What is left unset stays as it is."}
	for _, field := range t.guarded() {
		doc = append(doc, "It has no "+field.Name+", which only moves change.")
	}
	f.Add(code.Comment(doc...))
	f.Type().Id(name).StructFunc(func(g *jen.Group) {
		for _, field := range code.Patchable(t.D) {
			g.Id(field.GoName).Add(code.Store("Opt").Types(code.Type(field))).Tag(inputTag(field, false))
		}
		t.ownField(g)
	})
	f.Line()
	t.own(f)
	code.HideSecrets(f, name, code.Patchable(t.D), code.Written, code.ColumnMember)
}

// guarded returns the fields that a patch cannot set, and a new row can.
func (t tablePrinter) guarded() []*model.Field {
	return slices.DeleteFunc(slices.Clone(t.D.Fields), func(f *model.Field) bool { return !f.Guarded() })
}

func (t tablePrinter) ownField(g *jen.Group) {
	if len(code.Own(t.D)) > 0 {
		g.Id("own").Id(code.OwnType(t.D))
	}
}

// own prints what only generated code sets of a new row and of a patch.
func (t tablePrinter) own(f *jen.File) {
	fields := code.Own(t.D)
	if len(fields) == 0 {
		return
	}
	f.Type().Id(code.OwnType(t.D)).StructFunc(func(g *jen.Group) {
		for _, field := range fields {
			g.Id(field.GoName).Add(code.Store("Opt").Types(code.Type(field)))
		}
	})
	f.Line()
}

// columns prints the typed columns that filters and sorts name.
func (t tablePrinter) columns(f *jen.File) {
	name := t.D.GoRow + "Fields"
	f.Add(code.Comment(name + " are the columns of " + t.D.Name + ", for filters and sorts."))
	f.Var().Id(name).Op("=").StructFunc(func(g *jen.Group) {
		g.Id("ID").Add(code.Store("Col").Types(jen.Id(t.IDType()), jen.Id(t.IDType())))
		for _, field := range t.D.Fields {
			g.Id(field.GoName).Add(t.columnType(field))
		}
	}).ValuesFunc(func(g *jen.Group) {
		g.Line().Id("ID").Op(":").Add(code.Core("FieldOf").Types(jen.Id(t.IDType()), jen.Id(t.IDType()))).Call(jen.Lit(0))
		for i, field := range t.D.Fields {
			g.Line().Id(field.GoName).Op(":").Add(t.columnMaker(field)).Call(jen.Lit(i + 1))
		}
		g.Line()
	})
	f.Line()
	t.aliases(f)
}

// column is a kind of column: its type, and the function that makes one.
type column struct{ name, make string }

var (
	plainColumn  = column{"Col", "FieldOf"}
	textColumn   = column{"TextCol", "TextOf"}
	opaqueColumn = column{"OpaqueCol", "OpaqueOf"}
)

// columnOf picks the kind of column by what can be asked of its values.
func columnOf(f *model.Field) column {
	switch st := f.Storage(); {
	case st.Opaque:
		return opaqueColumn
	case st.Text && f.EnumGoName == "" && f.References == nil && f.Type != "ulid":
		return textColumn
	}
	return plainColumn
}

func (t tablePrinter) columnType(f *model.Field) *jen.Statement {
	return code.Store(columnOf(f).name).Types(t.columnTypes(f)...)
}

func (t tablePrinter) columnMaker(f *model.Field) *jen.Statement {
	return code.Core(columnOf(f).make).Types(t.columnTypes(f)...)
}

// columnTypes are the arguments of a column's type: the ids', and the values' where
// they can be compared.
func (t tablePrinter) columnTypes(f *model.Field) []jen.Code {
	if columnOf(f) == opaqueColumn {
		return []jen.Code{jen.Id(t.IDType())}
	}
	return []jen.Code{jen.Id(t.IDType()), code.Type(f)}
}

func (t tablePrinter) aliases(f *jen.File) {
	id := jen.Id(t.IDType())
	f.Add(code.Comment("The forms of a question to " + t.D.Name + " and of its answer."))
	f.Type().Defs(
		jen.Id(t.D.GoRow+"Query").Op("=").Add(code.Store("Query")).Types(id),
		jen.Id(t.D.GoRow+"Filter").Op("=").Add(code.Store("Cond")).Types(id),
		jen.Id(t.D.GoRow+"Sort").Op("=").Add(code.Store("Order")).Types(id),
		jen.Id(t.D.GoRow+"Page").Op("=").Add(code.Store("Page")).Types(jen.Id(t.D.GoRow)),
	)
	f.Line()
}

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
	"switch": true, "type": true, "var": true, "ctx": true, "t": true, "n": true, "store": true, "core": true, "check": true,
	"r": true, "new": true, "context": true, "string": true, "int64": true, "bool": true, "time": true, "error": true,
	"decimal": true, "q": true, "true": true, "false": true, "nil": true, "byte": true,
}
