package retain

import (
	"strconv"
	"time"

	"github.com/dave/jennifer/jen"

	"github.com/hegner123/modulagen/gen/behavior"
	"github.com/hegner123/modulagen/gen/golang"
	"github.com/hegner123/modulagen/gen/golang/code"
	"github.com/hegner123/modulagen/gen/goname"
	"github.com/hegner123/modulagen/gen/mistake"
	"github.com/hegner123/modulagen/gen/model"
)

const retainPath = "github.com/hegner123/modulagen/runtime/retain"

// Imports names package retain.
func (Behavior) Imports() map[string]string { return map[string]string{retainPath: "retain"} }

// Run has nothing to do: a program, or a job, says when Cleanup runs.
func (Behavior) Run([]*model.Datatype) golang.Run { return golang.Run{} }

// Variable is the name of the *retain.Spec's variable of a datatype, whose method Cleanup deletes
// its rows.
func Variable(d *model.Datatype) string { return goname.Unexported(d.GoRow) + "Retain" }

// Apply declares the methods, and adds an index by which old rows are found.
func (Behavior) Apply(d *model.Datatype) mistake.List {
	s := Of(d)
	if !behavior.Leads(d, s.Field) {
		behavior.AddIndex(d, &model.Index{
			Name:    model.ShortName(d.Name + "_" + s.Field.Name + "_idx"),
			Columns: []model.IndexColumn{{Field: s.Field}},
		})
	}
	d.Names = append(d.Names, model.Name{
		Space: model.SpaceGo, Text: Variable(d), What: "the code of what is retained of " + d.Name, Pos: d.GoPos, Owner: d, Hint: "give it another go_name",
	})
	for _, method := range []string{"Cleanup", "CleanupOlder"} {
		d.Names = append(d.Names, model.Name{
			Space: model.Members(d.GoRow + "Table"), Text: method, What: "the method of what is retained", Pos: d.Pos, Owner: d, Added: true,
		})
	}
	return nil
}

// Datatype prints which rows are old, and the methods.
func (Behavior) Datatype(f *jen.File, t code.Table) {
	s := Of(t.D)
	dict := jen.Dict{
		jen.Id("Rows"):  jen.Op("&").Id(t.Spec()),
		jen.Id("Field"): jen.Lit(t.Position(s.Field)),
		jen.Id("For"):   code.Duration(s.For),
	}
	if s.Field.Type == "date" {
		dict[jen.Id("Date")] = jen.True()
	}
	if len(s.Restrict) > 0 {
		dict[jen.Id("Restrict")] = jen.Index().Add(code.Core("Referrer")).ValuesFunc(func(g *jen.Group) {
			for _, r := range s.Restrict {
				of := code.Table{D: r.Datatype}
				g.Values(jen.Op("&").Id(of.Spec()), jen.Lit(of.Position(r.Field)))
			}
		})
	}
	f.Var().Id(Variable(t.D)).Op("=").Qual(retainPath, "Spec").Values(dict)
	f.Line()
	cleanup(f, t, s)
}

// age is how long rows are kept, in words.
func age(s *Section) string {
	const day = 24 * time.Hour
	if s.For%day != 0 {
		return s.For.String()
	}
	if s.For == day {
		return "a day"
	}
	return strconv.Itoa(int(s.For/day)) + " days"
}

func cleanup(f *jen.File, t code.Table, s *Section) {
	t.Method(f, "Cleanup",
		"Cleanup deletes the rows whose "+s.Field.Name+" is older than "+age(s)+", and returns how many. It does so in",
		"transactions of at most 500 rows, or in the one that it is called in. Several processes may call",
		"it at once. A row that others refer to with on_delete restrict stays until they are gone. With an",
		"error it returns how many were deleted before.",
	).Params(code.Ctx()).Params(jen.Int64(), jen.Error()).Block(
		jen.Return(jen.Id(Variable(t.D)).Dot("Cleanup").Call(jen.Id("ctx"), t.Conn(), jen.Lit(0))),
	)
	f.Line()
	t.Method(f, "CleanupOlder",
		"CleanupOlder is Cleanup with an age of the caller's. One that is not positive is store.ErrInvalid.",
	).Params(code.Ctx(), jen.Id("age").Qual("time", "Duration")).Params(jen.Int64(), jen.Error()).Block(
		jen.Return(jen.Id(Variable(t.D)).Dot("Older").Call(jen.Id("ctx"), t.Conn(), jen.Id("age"))),
	)
	f.Line()
}
