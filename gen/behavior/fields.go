package behavior

import (
	"strconv"

	"github.com/hegner123/modulagen/gen/goname"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/check"
)

// Number is a whole number that a behavior adds, never null.
func Number(name, label, def string) *model.Field {
	return &model.Field{
		Name: name, GoName: goname.Exported(name), Type: "number", Label: label, NotNull: true,
		Default: &model.Default{Text: def}, Rules: check.Rules{Kind: check.Int},
	}
}

// Flag is a boolean that a behavior adds, false unless written.
func Flag(name, label string) *model.Field {
	return &model.Field{
		Name: name, GoName: goname.Exported(name), Type: "boolean", Label: label, NotNull: true,
		Default: &model.Default{Text: "false"}, Rules: check.Rules{Kind: check.Bool},
	}
}

// Instant is a datetime that a behavior adds; null unless written.
func Instant(name, label string) *model.Field {
	return &model.Field{
		Name: name, GoName: goname.Exported(name), Type: "datetime", Label: label,
		Rules: check.Rules{Kind: check.Time},
	}
}

// Moment is a datetime that a behavior adds, never null: the moment of writing unless
// given.
func Moment(name, label string) *model.Field {
	f := Instant(name, label)
	f.NotNull, f.Default = true, &model.Default{Now: true}
	return f
}

// Line is a line of text that a behavior adds, never null: empty unless written.
func Line(name, label string, max int64) *model.Field {
	f := Text(name, label, "text", strconv.FormatInt(max, 10))
	f.NotNull, f.Default = true, &model.Default{}
	return f
}

// Text is text that a behavior adds, of the type named kind and at most max characters;
// null unless written.
func Text(name, label, kind, max string) *model.Field {
	return &model.Field{
		Name: name, GoName: goname.Exported(name), Type: kind, Label: label,
		Rules: check.Rules{Kind: check.Text, Max: check.At(max)},
	}
}

// Document is a JSON document that a behavior adds; null unless written.
func Document(name, label string) *model.Field {
	return &model.Field{
		Name: name, GoName: goname.Exported(name), Type: "json", Label: label,
		Rules: check.Rules{Kind: check.JSON, Max: check.At("1048576")},
	}
}
