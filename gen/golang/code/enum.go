package code

import (
	"fmt"

	"github.com/dave/jennifer/jen"

	"github.com/hegner123/modulagen/gen/model"
)

// Enum prints the type of a select with its values and codecs.
func Enum(f *jen.File, d *model.Datatype, field *model.Field) {
	name := field.EnumGoName
	f.Add(Comment(fmt.Sprintf("%s is the %s of %s.", name, field.Name, d.Name)))
	f.Type().Id(name).String()
	f.Line()
	f.Add(Comment("The values of " + name + "."))
	f.Const().DefsFunc(func(g *jen.Group) {
		for _, o := range field.Options {
			g.Id(o.GoName).Id(name).Op("=").Lit(o.Value)
		}
	})
	f.Line()
	f.Add(Comment(name + "Values returns every value, in the order declared."))
	f.Func().Id(name + "Values").Params().Index().Id(name).Block(
		jen.Return(jen.Index().Id(name).ValuesFunc(func(g *jen.Group) {
			for _, o := range field.Options {
				g.Id(o.GoName)
			}
		})),
	)
	f.Line()
	receiver := func() *jen.Statement { return f.Func().Params(jen.Id("v").Id(name)) }
	pointer := func() *jen.Statement { return f.Func().Params(jen.Id("v").Op("*").Id(name)) }
	values := jen.Id(name + "Values").Call()

	f.Add(Comment("Valid reports whether v is one of the declared values."))
	receiver().Id("Valid").Params().Bool().Block(jen.Return(Core("EnumHas").Call(jen.Id("v"), values)))
	f.Line()
	f.Add(Comment("String returns the value as it is stored."))
	receiver().Id("String").Params().String().Block(jen.Return(jen.String().Parens(jen.Id("v"))))
	f.Line()
	f.Add(Comment("MarshalText returns the value as text. One that is not declared is store.ErrInvalid."))
	receiver().Id("MarshalText").Params().Params(jen.Index().Byte(), jen.Error()).Block(
		jen.Return(Core("EnumToText").Call(jen.Id("v"), values)))
	f.Line()
	f.Add(Comment("UnmarshalText reads a value from text. One that is not declared is store.ErrInvalid."))
	pointer().Id("UnmarshalText").Params(jen.Id("text").Index().Byte()).Error().Block(
		jen.Return(Core("EnumFromText").Call(jen.Id("v"), jen.Id("text"), values)))
	f.Line()
	f.Add(Comment("Scan reads the value of a column; what a newer program wrote passes."))
	pointer().Id("Scan").Params(jen.Id("src").Any()).Error().Block(
		jen.Return(Core("Assign").Call(jen.Parens(jen.Op("*").String()).Parens(jen.Id("v")), jen.Id("src"))))
	f.Line()
	f.Add(Comment("Value returns what is written to a column."))
	receiver().Id("Value").Params().Params(jen.Qual("database/sql/driver", "Value"), jen.Error()).Block(
		jen.Return(jen.String().Parens(jen.Id("v")), jen.Nil()))
	f.Line()
}

// Struct prints the struct of a json field with inline fields, or of a payload. A member
// without a value is absent in JSON, as it was before members were what rows have.
func Struct(f *jen.File, name, is string, fields []*model.Field) {
	f.Add(Comment(name + " " + is))
	f.Type().Id(name).StructFunc(func(g *jen.Group) {
		for _, field := range fields {
			if field.Help != "" {
				g.Add(Comment(field.Help))
			}
			tag := field.Name
			if !field.NotNull {
				tag += ",omitzero"
			}
			g.Id(field.GoName).Add(RowType(field)).Tag(Tag(field, tag))
		}
	})
	f.Line()
	HideSecrets(f, name, fields, Stored, ColumnMember)
}

// Payload prints the struct of a kind's payload or of an event's, and the types of its fields.
func Payload(f *jen.File, d *model.Datatype, name, is string, fields []*model.Field) {
	for _, field := range fields {
		if field.EnumGoName != "" {
			Enum(f, d, field)
		}
		if field.JSONGoName != "" {
			Struct(f, field.JSONGoName, fmt.Sprintf("is the %s of a %s.", field.Name, name), field.JSONFields)
		}
	}
	Struct(f, name, is, fields)
}
