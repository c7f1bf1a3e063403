package code

import (
	"github.com/dave/jennifer/jen"

	"github.com/hegner123/modulagen/gen/model"
)

// Use is what a type with hidden fields is for, beside printing itself without them.
type Use int

const (
	Shown   Use = iota // it leaves them out of JSON by their tags
	Written            // it reads them from JSON, and masks them when it is written as JSON
	Stored             // so it does, and its JSON with them is what the database keeps
)

// HideSecrets keeps the hidden fields of a struct out of what fmt, log/slog and
// encoding/json write of it. A struct without any is left alone. member names a
// field in JSON.
func HideSecrets(f *jen.File, typeName string, fields []*model.Field, s Use, member func(*model.Field) string) {
	var names, members []jen.Code
	for _, field := range fields {
		if field.Hidden() {
			names = append(names, jen.Lit(field.GoName))
			members = append(members, jen.Lit(member(field)))
		}
	}
	if len(names) == 0 {
		return
	}
	receiver := func() *jen.Statement { return f.Func().Params(jen.Id("r").Id(typeName)) }
	f.Add(Comment("Format prints r without its secrets."))
	receiver().Id("Format").Params(jen.Id("f").Qual("fmt", "State"), jen.Id("verb").Rune()).Block(
		Core("FormatRow").Call(append([]jen.Code{jen.Id("f"), jen.Id("verb"), jen.Id("r")}, names...)...),
	)
	f.Line()
	f.Add(Comment("LogValue returns r without its secrets, for log/slog."))
	receiver().Id("LogValue").Params().Qual("log/slog", "Value").Block(
		jen.Return(Core("LogRow").Call(append([]jen.Code{jen.Id("r")}, names...)...)),
	)
	f.Line()
	plain := jen.Id("plain").Call(jen.Id("r"))
	bytes := []jen.Code{jen.Index().Byte(), jen.Error()}
	if s >= Written {
		f.Add(Comment(`MarshalJSON returns r as JSON, with "***" for its secrets.`))
		receiver().Id("MarshalJSON").Params().Params(bytes...).Block(
			jen.Type().Id("plain").Id(typeName),
			jen.Return(Core("MaskJSON").Call(append([]jen.Code{plain}, members...)...)),
		)
		f.Line()
	}
	if s == Stored {
		f.Add(Comment("MarshalStored returns r as JSON with its secrets, as it is stored."))
		receiver().Id("MarshalStored").Params().Params(bytes...).Block(
			jen.Type().Id("plain").Id(typeName),
			jen.Return(Core("StoredJSON").Call(plain)),
		)
		f.Line()
	}
}

// Tag is the tag of a field in a struct. That of a secret marks it for packages of the
// runtime that must know that a value holds one.
func Tag(field *model.Field, json string) map[string]string {
	tag := map[string]string{"json": json}
	if json == "" {
		tag = map[string]string{}
	}
	if field != nil && field.Hidden() {
		tag["store"] = "secret"
	}
	return tag
}

// ColumnMember is how a row names a field in JSON: as its column.
func ColumnMember(f *model.Field) string { return f.Name }

// GoMember is how a result without tags names a field in JSON: as Go does.
func GoMember(f *model.Field) string { return f.GoName }
