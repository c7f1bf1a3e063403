package publish

import (
	"github.com/dave/jennifer/jen"

	"github.com/hegner123/modulagen/gen/behavior"
	"github.com/hegner123/modulagen/gen/golang"
	"github.com/hegner123/modulagen/gen/golang/code"
	"github.com/hegner123/modulagen/gen/goname"
	"github.com/hegner123/modulagen/gen/mistake"
	"github.com/hegner123/modulagen/gen/model"
)

const publishPath = "github.com/hegner123/modulagen/runtime/publish"

func publish(name string) *jen.Statement { return jen.Qual(publishPath, name) }

// Imports names package publish.
func (Behavior) Imports() map[string]string { return map[string]string{publishPath: "publish"} }

// Run has nothing to do: a program says when PublishDue runs.
func (Behavior) Run([]*model.Datatype) golang.Run { return golang.Run{} }

func VariableName(d *model.Datatype) string { return goname.Unexported(d.GoRow) + "Publish" }

// methods are what the table gets; those of scheduled rows come last.
var methods = []string{"Publish", "Unpublish", "Schedule", "PublishDue"}

func (s *Section) methods() []string {
	if s.Scheduled == "" {
		return methods[:2]
	}
	return methods
}

// Apply declares the methods, and adds an index by which rows that are due are found.
func (Behavior) Apply(d *model.Datatype) mistake.List {
	s := Of(d)
	if s.Scheduled != "" && !leads(d, s) {
		behavior.AddIndex(d, &model.Index{
			Name:    model.ShortName(d.Name + "_" + s.Status.Name + "_" + s.Date.Name + "_idx"),
			Columns: []model.IndexColumn{{Field: s.Status}, {Field: s.Date}},
		})
	}
	d.Names = append(d.Names, model.Name{
		Space: model.SpaceGo, Text: VariableName(d), What: "the code of the publishing of " + d.Name, Pos: d.GoPos, Owner: d, Hint: "give it another go_name",
	})
	for _, method := range s.methods() {
		d.Names = append(d.Names, model.Name{
			Space: model.Members(d.GoRow + "Table"), Text: method, What: "the method of what is published", Pos: d.Pos, Owner: d, Added: true,
		})
	}
	return nil
}

// leads reports whether an index over all rows starts with status and date.
func leads(d *model.Datatype, s *Section) bool {
	for _, x := range d.Indexes {
		if len(x.Where) == 0 && len(x.Columns) > 1 && x.Columns[0].Field == s.Status && x.Columns[1].Field == s.Date {
			return true
		}
	}
	return false
}

// Datatype prints what a row is by its status, and the methods.
func (Behavior) Datatype(f *jen.File, t code.Table) {
	s := Of(t.D)
	dict := jen.Dict{
		jen.Id("Rows"):      jen.Op("&").Id(t.Spec()),
		jen.Id("Status"):    jen.Lit(t.Position(s.Status)),
		jen.Id("Date"):      jen.Lit(t.Position(s.Date)),
		jen.Id("Published"): jen.Lit(s.Published),
		jen.Id("Draft"):     jen.Lit(s.Draft),
	}
	if s.Scheduled != "" {
		dict[jen.Id("Scheduled")] = jen.Lit(s.Scheduled)
	}
	f.Var().Id(VariableName(t.D)).Op("=").Add(publish("Spec")).Values(dict)
	f.Line()
	p := printer{t, s}
	p.row(f, "Publish",
		"Publish makes the row "+s.Published+", and returns it. Its "+s.Date.Name+" is then now, unless it had",
		"one in the past. A row that is "+s.Published+" already stays as it is.",
	)
	p.row(f, "Unpublish",
		"Unpublish makes a row "+s.Draft+" again that is "+s.public()+", and returns it with the",
		s.Date.Name+" that it had. A row that is something else stays as it is.",
	)
	if s.Scheduled != "" {
		p.row(f, "Schedule",
			"Schedule makes the row "+s.Scheduled+", with at as its "+s.Date.Name+", and returns it. PublishDue",
			"publishes it from then on; at may be in the past.",
		)
		p.due(f)
	}
}

// public are the states that Unpublish ends.
func (s *Section) public() string {
	if s.Scheduled == "" {
		return s.Published
	}
	return s.Published + " or " + s.Scheduled
}

// printer prints the methods of one datatype.
type printer struct {
	code.Table
	s *Section
}

// call calls a function of the runtime.
func (p printer) call(name string, args ...jen.Code) *jen.Statement {
	return publish(name).Call(append([]jen.Code{jen.Id("ctx"), jen.Id("t").Dot("core"), jen.Op("&").Id(VariableName(p.D))}, args...)...)
}

// row prints a method that writes one row.
func (p printer) row(f *jen.File, name string, doc ...string) {
	errors := []string{"It returns store.ErrNotFound without the row; its other errors are those of Update."}
	if p.s.Status.Guarded() {
		errors = []string{
			"It returns a *store.MoveError where the workflow has no such move from the row's state, and",
			"store.ErrNotFound without the row; its other errors are those of Update.",
		}
	}
	params, args := []jen.Code{p.IDParam()}, []jen.Code{p.PlainID()}
	if name == "Schedule" {
		params, args = append(params, jen.Id("at").Qual("time", "Time")), append(args, jen.Id("at"))
	}
	p.ReturnsRow(f, name, append(doc, errors...), params, p.call(name, append(args, jen.Id("r"))...))
}

func (p printer) due(f *jen.File) {
	p.Method(f, "PublishDue",
		"PublishDue publishes the rows that are "+p.s.Scheduled+" and whose "+p.s.Date.Name+" has come, and returns how",
		"many. It does so in transactions of at most 100 rows, or in the one that it is called in. Several",
		"processes may call it at once: each row is published by one of them. With an error it returns",
		"how many were published before.",
	).Params(code.Ctx()).Params(jen.Int64(), jen.Error()).Block(jen.Return(p.call("Due")))
	f.Line()
}
