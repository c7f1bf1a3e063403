package adapter

import (
	"slices"
	"strings"

	"github.com/dave/jennifer/jen"

	"github.com/hegner123/modulagen/gen/golang/code"
	"github.com/hegner123/modulagen/gen/model"
)

// RowsPath is the package that printed functions call.
const RowsPath = code.CorePath + "/rows"

// Imports is what Imports of a behavior that prints with this package has to name.
var Imports = map[string]string{RowsPath: "rows"}

// A Part is a field of a struct of the runtime, and the column that it is read from and
// written to.
type Part struct{ Field, Column string }

// Parts makes parts of texts such as "BodyTemplate body_template".
func Parts(texts ...string) []Part {
	out := make([]Part, len(texts))
	for i, text := range texts {
		field, column, ok := strings.Cut(text, " ")
		if !ok {
			panic("adapter: " + text + " has no column")
		}
		out[i] = Part{field, column}
	}
	return out
}

// Conn is the connection c as a parameter.
func Conn() jen.Code { return jen.Id("c").Op("*").Add(code.Core("Conn")) }

// Seq is a sequence of values that may end in an error.
func Seq(of jen.Code) *jen.Statement { return jen.Qual("iter", "Seq2").Types(of, jen.Error()) }

// Bound prints a variable t, the table on the connection c.
func (t Table) Bound() jen.Code {
	return jen.Id("t").Op(":=").Id(t.GoRow + "Table").Values(code.Core("Bind").Call(jen.Id("c"), t.Spec()))
}

// Spec is the address of what the store knows of the datatype.
func (t Table) Spec() *jen.Statement { return jen.Op("&").Id(code.Table{D: t.Datatype}.Spec()) }

// Query is a question to the datatype; where is nil for every row.
func (t Table) Query(where jen.Code) *jen.Statement {
	if where == nil {
		return jen.Id(t.GoRow + "Query").Values()
	}
	return jen.Id(t.GoRow + "Query").Values(jen.Dict{jen.Id("Where"): where})
}

// Is compares a column with a value, for a filter.
func (t Table) Is(column, op string, values ...jen.Code) *jen.Statement {
	return jen.Id(t.GoRow + "Fields").Dot(t.Fields[column].GoName).Dot(op).Call(values...)
}

// ID makes an id of the datatype of a number.
func (t Table) ID(value jen.Code) *jen.Statement { return jen.Id(t.GoRow + "ID").Parens(value) }

// Reader prints the function name, which makes a struct of a row.
func (t Table) Reader(f *jen.File, name string, of *jen.Statement, parts []Part) {
	f.Func().Id(name).Params(jen.Id("r").Op("*").Id(t.GoRow)).Op("*").Add(of).Block(jen.Return(t.Read(of, parts)))
	f.Line()
}

// Of prints a function that makes a struct, with a Reader, of a row of any type.
func (t Table) Of(made *jen.Statement, reader string) jen.Code {
	return jen.Func().Params(jen.Id("row").Any()).Op("*").Add(made).Block(
		jen.Return(jen.Id(reader).Call(jen.Id("row").Assert(jen.Op("*").Id(t.GoRow)))))
}

// having leaves out the parts whose columns the datatype lacks.
func (t Table) having(parts []Part) []Part {
	return slices.DeleteFunc(slices.Clone(parts), func(p Part) bool { return t.Fields[p.Column] == nil })
}

// Read is the address of a struct that is made of the row r.
func (t Table) Read(of *jen.Statement, parts []Part) *jen.Statement {
	values := jen.Dict{jen.Id("ID"): jen.Int64().Parens(jen.Id("r").Dot("ID"))}
	for _, part := range t.having(parts) {
		values[jen.Id(part.Field)] = plain(t.Fields[part.Column])
	}
	return jen.Op("&").Add(of).Values(values)
}

// plain reads a column of the row r as a plain type.
func plain(f *model.Field) jen.Code {
	v := code.Value("r", f)
	switch {
	case f.EnumGoName != "":
		return jen.String().Parens(v)
	case f.References != nil:
		return jen.Int64().Parens(v)
	}
	return v
}

// Each prints a function that reads the rows of a query with a Reader.
func (t Table) Each(of *jen.Statement, reader string, q jen.Code, params ...jen.Code) jen.Code {
	return jen.Func().Params(append([]jen.Code{code.Ctx(), Conn()}, params...)...).Add(Seq(jen.Op("*").Add(of))).Block(
		t.Bound(),
		jen.Return(jen.Qual(RowsPath, "Each").Call(jen.Id("t").Dot("All").Call(jen.Id("ctx"), q), jen.Id(reader))),
	)
}

// Create prints a function that adds a row for each struct d of a list, by the method named.
// Where ids is true, it sets their ID.
func (t Table) Create(of *jen.Statement, method string, row jen.Code, ids bool) jen.Code {
	body := []jen.Code{
		t.Bound(),
		jen.Id("ns").Op(":=").Make(jen.Index().Id(t.GoRow+"New"), jen.Len(jen.Id("list"))),
		jen.For(jen.List(jen.Id("i"), jen.Id("d")).Op(":=").Range().Id("list")).Block(jen.Id("ns").Index(jen.Id("i")).Op("=").Add(row)),
	}
	call := jen.Id("t").Dot(method).Call(jen.Id("ctx"), jen.Id("ns"))
	if ids {
		body = append(body,
			jen.List(jen.Id("ids"), jen.Err()).Op(":=").Add(call),
			jen.For(jen.List(jen.Id("i"), jen.Id("id")).Op(":=").Range().Id("ids")).Block(jen.Id("list").Index(jen.Id("i")).Dot("ID").Op("=").Int64().Parens(jen.Id("id"))),
			jen.Return(jen.Err()))
	} else {
		body = append(body, jen.List(jen.Id("_"), jen.Err()).Op(":=").Add(call), jen.Return(jen.Err()))
	}
	return jen.Func().Params(code.Ctx(), Conn(), jen.Id("list").Index().Op("*").Add(of)).Error().Block(body...)
}

// Values are the fields of a new row that is made of the struct d. A zero value is null where
// the column can be.
func (t Table) Values(parts []Part) map[*model.Field]jen.Code {
	values := map[*model.Field]jen.Code{}
	for _, part := range t.having(parts) {
		values[t.Fields[part.Column]] = given(t.Fields[part.Column], jen.Id("d").Dot(part.Field))
	}
	return values
}

// Row is a new row, or a patch, with values.
func (t Table) Row(suffix string, values map[*model.Field]jen.Code) jen.Code {
	return code.Literal(t.Datatype, t.GoRow+suffix, values)
}

// typed makes a plain value one of the column's type.
func typed(f *model.Field, value *jen.Statement) *jen.Statement {
	switch {
	case f.EnumGoName != "":
		return jen.Id(f.EnumGoName).Parens(value)
	case f.References != nil:
		return jen.Id(f.References.GoRow + "ID").Parens(value)
	}
	return value
}

// given is a plain value as a new row takes it.
func given(f *model.Field, value *jen.Statement) jen.Code {
	value = typed(f, value)
	switch {
	case code.PlainInNew(f):
		return value
	case f.NotNull:
		return code.Store("Set").Call(value)
	case f.Type == "json":
		return jen.Qual(RowsPath, "OptJSON").Call(value)
	case f.Type == "bytes":
		return jen.Qual(RowsPath, "OptBytes").Call(value)
	}
	return jen.Qual(RowsPath, "Opt").Call(value)
}

// Changed are the fields of a patch that makes a row what the struct d is. A zero value is
// null where the column can be.
func (t Table) Changed(parts []Part) map[*model.Field]jen.Code {
	values := map[*model.Field]jen.Code{}
	for _, part := range t.having(parts) {
		f := t.Fields[part.Column]
		value := typed(f, jen.Id("d").Dot(part.Field))
		if f.NotNull {
			values[f] = code.Store("Set").Call(value)
		} else {
			values[f] = jen.Qual(RowsPath, "OrNull").Call(value)
		}
	}
	return values
}

// IDs is the ids of the rows of a query, which is a core.AnyQuery.
func IDs(t Table, query jen.Code) jen.Code {
	return jen.Qual(RowsPath, "IDs").Call(jen.Id("ctx"), code.Core("Bind").Call(jen.Id("c"), t.Spec()), query,
		jen.Func().Params(jen.Id("row").Any()).Int64().Block(jen.Return(jen.Int64().Parens(jen.Id("row").Assert(jen.Op("*").Id(t.GoRow)).Dot("ID")))))
}
