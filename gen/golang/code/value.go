package code

import (
	"time"

	"github.com/dave/jennifer/jen"

	"github.com/hegner123/modulagen/gen/model"
)

// Ctx is the context as a parameter.
func Ctx() *jen.Statement { return jen.Id("ctx").Qual("context", "Context") }

// Value reads a column of a row, as the zero value where it is null.
func Value(row string, f *model.Field) *jen.Statement {
	at := jen.Id(row).Dot(f.GoName)
	if !f.NotNull {
		at = at.Dot("V")
	}
	return at
}

// Given is a value as the field of a new row takes it.
func Given(f *model.Field, value jen.Code) jen.Code {
	if f.EnumGoName != "" {
		value = jen.Id(f.EnumGoName).Parens(value)
	}
	if PlainInNew(f) {
		return value
	}
	return Store("Set").Call(value)
}

// Duration prints a span as a person would write it.
func Duration(d time.Duration) *jen.Statement {
	for _, u := range []struct {
		of   time.Duration
		name string
	}{{time.Hour, "Hour"}, {time.Minute, "Minute"}, {time.Second, "Second"}, {time.Millisecond, "Millisecond"}} {
		if d%u.of == 0 {
			return jen.Lit(int(d/u.of)).Op("*").Qual("time", u.name)
		}
	}
	return jen.Lit(int(d)).Op("*").Qual("time", "Nanosecond")
}

// Writes prints kinds of writes as the store takes them.
func Writes(on model.Writes) *jen.Statement {
	var s *jen.Statement
	for _, w := range []struct {
		is   model.Writes
		name string
	}{{model.Creates, "Created"}, {model.Updates, "Updated"}, {model.Deletes, "Deleted"}} {
		switch {
		case on&w.is == 0:
		case s == nil:
			s = Core(w.name)
		default:
			s = s.Op("|").Add(Core(w.name))
		}
	}
	return s
}
