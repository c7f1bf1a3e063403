package code

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dave/jennifer/jen"

	"github.com/hegner123/modulagen/gen/goname"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/check"
)

// Type is the Go type of a field's value, null aside.
func Type(f *model.Field) *jen.Statement {
	switch {
	case f.References != nil:
		return jen.Id(f.References.GoRow + "ID")
	case f.EnumGoName != "":
		return jen.Id(f.EnumGoName)
	case f.JSONGoName != "":
		return jen.Id(f.JSONGoName)
	case f.GoType != "":
		return userType(f.GoType)
	}
	name := f.Storage().Go
	switch {
	case name == "[]byte":
		return jen.Index().Byte()
	case name == "time.Time":
		return jen.Qual("time", "Time")
	case strings.HasPrefix(name, "store."):
		return Store(strings.TrimPrefix(name, "store."))
	}
	return jen.Id(name)
}

// userType is a Go type by its full name, "example.com/shop/types.Price", or a
// builtin or composite of such: "[]example.com/shop/types.Price", "map[string]int".
func userType(name string) *jen.Statement {
	for _, prefix := range []string{"[]", "*", "map[string]"} {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			return jen.Op(prefix).Add(userType(rest))
		}
	}
	if i := strings.LastIndexByte(name, '.'); i > 0 {
		return jen.Qual(name[:i], name[i+1:])
	}
	return jen.Id(name)
}

// RowType is the type of a field in a row, and of a member of a JSON object.
func RowType(f *model.Field) *jen.Statement {
	if f.NotNull {
		return Type(f)
	}
	return Store("Null").Types(Type(f))
}

// Patchable returns the fields of a patch that a program can set.
func Patchable(d *model.Datatype) []*model.Field {
	return slices.DeleteFunc(Writable(d), func(f *model.Field) bool { return f.Guarded() })
}

// Writable returns the fields of a new row that a program can set.
func Writable(d *model.Datatype) []*model.Field {
	return slices.DeleteFunc(slices.Clone(d.Fields), func(f *model.Field) bool { return f.Kept || f.Own })
}

// Own returns the fields of a new row and a patch that only generated code can set. They
// stand in a field of their own, "own".
func Own(d *model.Datatype) []*model.Field {
	return slices.DeleteFunc(slices.Clone(d.Fields), func(f *model.Field) bool { return !f.Own })
}

// OwnType is the name of the type of the field "own".
func OwnType(d *model.Datatype) string { return goname.Unexported(d.GoRow) + "Own" }

// Input is a field of a new row or a patch, which is a variable of that name.
func Input(variable string, f *model.Field) *jen.Statement {
	if f.Own {
		return jen.Id(variable).Dot("own").Dot(f.GoName)
	}
	return jen.Id(variable).Dot(f.GoName)
}

// Literal is a new row or a patch, of the type named, that sets fields to values.
func Literal(d *model.Datatype, name string, values map[*model.Field]jen.Code) *jen.Statement {
	given, own := jen.Dict{}, jen.Dict{}
	for f, value := range values {
		if f.Own {
			own[jen.Id(f.GoName)] = value
		} else {
			given[jen.Id(f.GoName)] = value
		}
	}
	if len(own) > 0 {
		given[jen.Id("own")] = jen.Id(OwnType(d)).Values(own)
	}
	return jen.Id(name).Values(given)
}

// PlainInNew reports whether a new row's field is the bare type: one that must be
// given. All others may be left out.
func PlainInNew(f *model.Field) bool { return f.Required && f.Default == nil }

// NewType is the type of a field in a row to be.
func NewType(f *model.Field) *jen.Statement {
	if PlainInNew(f) {
		return Type(f)
	}
	return Store("Opt").Types(Type(f))
}

// typedJSON reports whether a json field has a Go type of its own.
func typedJSON(f *model.Field) bool { return f.JSONGoName != "" || f.GoType != "" }

// FieldOf is what a column is scanned into and bound from: a pointer to a plain
// type, or a field of the store's.
func FieldOf(f *model.Field, variable string) jen.Code {
	return FieldAt(f, jen.Op("&").Id(variable).Dot(f.GoName))
}

// FieldAt is FieldOf for a value with the address at.
func FieldAt(f *model.Field, at jen.Code) jen.Code {
	prefix := ""
	if !f.NotNull {
		prefix = "Null"
	}
	switch {
	case typedJSON(f):
		return Core(prefix + "JSONField").Call(at)
	case f.Storage().Kind == check.Decimal:
		return Core(prefix+"DecimalField").Call(at, jen.Lit(f.Scale))
	case f.NotNull && (f.References != nil || f.EnumGoName != ""):
		return jen.Parens(jen.Op("*").Id(f.Storage().Go)).Parens(at)
	}
	return at
}

// DefaultOf is a field's default as an expression; now is a variable in scope.
func DefaultOf(f *model.Field) jen.Code {
	text := f.Default.Text
	switch f.Storage().Kind {
	case check.Time:
		if f.Default.Now {
			return jen.Id("now")
		}
		t, _ := time.Parse(time.RFC3339Nano, text)
		return jen.Qual("time", "UnixMicro").Call(jen.Lit(int(t.UnixMicro()))).Dot("UTC").Call()
	case check.Date:
		if f.Default.Now {
			return Store("DateOf").Call(jen.Id("now"))
		}
		t, _ := time.Parse(time.DateOnly, text)
		return Store("Date").Values(jen.Dict{
			jen.Id("Year"): jen.Lit(t.Year()), jen.Id("Month"): jen.Lit(int(t.Month())), jen.Id("Day"): jen.Lit(t.Day()),
		})
	case check.Int:
		n, _ := strconv.ParseInt(text, 10, 64)
		return jen.Lit(int(n))
	case check.Float:
		n, _ := strconv.ParseFloat(text, 64)
		return jen.Lit(n)
	case check.Bool:
		return jen.Lit(text == "true")
	case check.Decimal:
		return jen.Qual(DecimalPath, "RequireFromString").Call(jen.Lit(text))
	case check.JSON:
		if typedJSON(f) {
			return Core("MustJSON").Types(Type(f)).Call(jen.Lit(text))
		}
		return Store("JSON").Call(jen.Lit(text))
	case check.Bytes:
		return jen.Index().Byte().Parens(jen.Lit(text))
	}
	for _, o := range f.Options {
		if o.Value == text {
			return jen.Id(o.GoName)
		}
	}
	return jen.Lit(text)
}
