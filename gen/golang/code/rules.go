package code

import (
	"github.com/dave/jennifer/jen"

	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/check"
)

// Rules prints the rules that the runtime checks before each write.
func Rules(f *model.Field) jen.Code {
	r := f.Rules
	kinds := map[check.Kind]string{
		check.Text: "Text", check.Int: "Int", check.Decimal: "Decimal", check.Float: "Float", check.Bool: "Bool",
		check.Time: "Time", check.Date: "Date", check.JSON: "JSON", check.Bytes: "Bytes",
	}
	formats := map[check.Format]string{check.Email: "Email", check.URL: "URL", check.Slug: "Slug"}
	parts := []jen.Code{jen.Id("Kind").Op(":").Qual(CheckPath, kinds[f.Storage().Kind])}
	add := func(name string, value jen.Code) { parts = append(parts, jen.Id(name).Op(":").Add(value)) }
	if r.Format != "" {
		add("Format", jen.Qual(CheckPath, formats[r.Format]))
	}
	if f.Required {
		add("Required", jen.True())
	}
	if f.References != nil && f.Storage().Kind == check.Int {
		add("Reference", jen.True())
	}
	if f.Secret {
		add("Secret", jen.True())
	}
	if r.Min.IsSet() {
		add("Min", bound(f, r.Min))
	}
	if r.Max.IsSet() {
		add("Max", bound(f, r.Max))
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
		add("Rules", jen.Qual(CheckPath, "MustParse").Call(jen.Lit(check.Document(r.Rules))))
	}
	if len(f.JSONFields) > 0 {
		add("Fields", Members(f.JSONFields))
	}
	return jen.Qual(CheckPath, "Rules").Values(parts...)
}

func bound(f *model.Field, b check.Bound) jen.Code {
	if f.Storage().Kind == check.Float {
		return jen.Qual(CheckPath, "AtFloat").Call(jen.Lit(b.Float()))
	}
	return jen.Qual(CheckPath, "At").Call(jen.Lit(b.String()))
}

// Members prints the members of a JSON object with their rules.
func Members(fields []*model.Field) jen.Code {
	return jen.Index().Qual(CheckPath, "Member").ValuesFunc(func(g *jen.Group) {
		for _, field := range fields {
			g.Line().Values(jen.Id("Name").Op(":").Lit(field.Name), jen.Id("Rules").Op(":").Add(Rules(field)))
		}
		g.Line()
	})
}
