package golang

import (
	"github.com/dave/jennifer/jen"

	"github.com/hegner123/modulagen/gen/model"
)

// printSecrecy keeps the secret fields of a struct out of what fmt and log/slog
// print of it. A struct without any is left alone.
func printSecrecy(f *jen.File, typeName string, fields []*model.Field) {
	names := secrets(fields)
	if len(names) == 0 {
		return
	}
	receiver := func() *jen.Statement { return f.Func().Params(jen.Id("r").Id(typeName)) }
	f.Add(comment("Format prints r without its secrets."))
	receiver().Id("Format").Params(jen.Id("f").Qual("fmt", "State"), jen.Id("verb").Rune()).Block(
		store("FormatRow").Call(append([]jen.Code{jen.Id("f"), jen.Id("verb"), jen.Id("r")}, names...)...),
	)
	f.Line()
	f.Add(comment("LogValue gives r to log/slog without its secrets."))
	receiver().Id("LogValue").Params().Qual("log/slog", "Value").Block(
		jen.Return(store("LogRow").Call(append([]jen.Code{jen.Id("r")}, names...)...)),
	)
	f.Line()
}

func secrets(fields []*model.Field) []jen.Code {
	var names []jen.Code
	for _, f := range fields {
		if f.Secret {
			names = append(names, jen.Lit(f.GoName))
		}
	}
	return names
}
