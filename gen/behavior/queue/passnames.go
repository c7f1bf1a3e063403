package queue

import (
	"fmt"
	"strings"

	"github.com/hegner123/modulagen/gen/goname"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/gen/names"
)

// names returns what the Go of a queue declares.
func (p *queuePass) names() []model.Name {
	d := p.d
	row := model.Name{Space: model.SpaceGo, Pos: d.GoPos, Owner: d, Hint: "give it another go_name"}
	out := []model.Name{
		named(row, d.GoRow+"Event", "the events of "+d.Name),
		named(row, goname.Unexported(d.GoRow)+"Queue", "the code of "+d.Name),
	}
	worker := model.Name{Space: model.Members("Workers"), Pos: d.Pos, Owner: d, Hint: "choose another name"}
	if by := p.q.Worked; by != nil {
		worker.Added, worker.Once = true, true
		out = append(out, named(worker, by.Field, "what works queues of "+strings.ToLower(by.Field)))
	} else {
		out = append(out,
			named(row, d.GoRow+"Handler", "the handler of "+d.Name), named(row, goname.Unexported(d.GoRow)+"Handle", "the code of "+d.Name),
			named(worker, d.GoAccessor, "the handler of "+d.Name), named(worker, d.GoAccessor+"Options", "the options of "+d.Name))
	}
	method := model.Name{Space: model.Members(d.GoRow + "Table"), Pos: d.Pos, Owner: d, Added: true, What: "the method of every queue"}
	for _, text := range []string{"Cancel", "Retry", "Await", "Pause", "Resume", "Events"} {
		out = append(out, named(method, text, method.What))
	}
	if p.w.Rank != nil {
		out = append(out, named(method, "SetPriority", method.What))
	}
	if len(p.q.Kinds) == 0 {
		out = append(out, p.rowNames(method)...)
	}
	for _, k := range p.q.Kinds {
		out = append(out, kindNames(d, k)...)
	}
	for _, k := range p.q.Kinds { // after every kind: an older version is the one to change
		out = append(out, olderNames(d, k)...)
	}
	return out
}

// rowNames returns what is declared where rows are no kinds' payloads.
func (p *queuePass) rowNames(method model.Name) []model.Name {
	out := []model.Name{named(method, "Enqueue", method.What)}
	if p.q.Policy.Unique == nil {
		out = append(out, named(method, "EnqueueMany", method.What))
	}
	if p.q.Worked == nil {
		out = append(out, model.Name{Space: model.Members(p.d.GoRow + "Handler"), Text: p.d.GoRow, What: "the method of " + p.d.Name, Pos: p.d.GoPos, Owner: p.d})
	}
	return out
}

// named returns a name like another, but for its text and what has it.
func named(n model.Name, text, what string) model.Name {
	n.Text, n.What = text, what
	return n
}

// kindNames returns what is declared for a kind: its payload, its job, and the
// methods that are named after it.
func kindNames(d *model.Datatype, k *Kind) []model.Name {
	base := model.Name{Space: model.SpaceGo, Pos: k.GoPos, Owner: d, Hint: "give the kind a go_name"}
	out := []model.Name{
		named(base, k.GoName, "the kind "+k.Name),
		named(base, k.GoName+"Job", "the job of kind "+k.Name),
		named(base, goname.Unexported(k.GoName)+"Rules", "the code of kind "+k.Name),
		named(base, "new"+k.GoName, "the code of kind "+k.Name),
	}
	if k.Policy.Unique != nil {
		out = append(out, named(base, addName(k), "the code of kind "+k.Name))
	}
	method := base
	method.Space = model.Members(d.GoRow + "Table")
	for _, text := range []string{"Enqueue" + k.GoName, "Enqueue" + k.GoName + "Many"} {
		out = append(out, named(method, text, "the method of kind "+k.Name))
	}
	method.Space = model.Members(d.GoRow + "Handler")
	out = append(out, named(method, k.GoName, "the method of kind "+k.Name))
	return append(out, names.Payload(d, k.GoName, "kind "+k.Name, k.Fields)...)
}

// olderNames returns what is declared for the earlier versions of a kind.
func olderNames(d *model.Datatype, k *Kind) []model.Name {
	if len(k.Older) == 0 {
		return nil
	}
	base := model.Name{Space: model.SpaceGo, Pos: k.Older[0].Pos, Owner: d, Hint: "give the kind a go_name"}
	out := []model.Name{named(base, k.GoName+"Upcaster", "the upcaster of kind "+k.Name)}
	for _, o := range k.Older {
		what := fmt.Sprintf("version %d of kind %s", o.Version, k.Name)
		base.Pos, base.Space = o.Pos, model.SpaceGo
		out = append(out, named(base, o.GoName, what))
		from := fmt.Sprintf("%sFromV%d", k.GoName, o.Version)
		for _, goType := range []string{k.GoName + "Upcaster", d.GoRow + "Handler"} { // the one is part of the other
			base.Space = model.Members(goType)
			out = append(out, named(base, from, "the upcaster from "+what))
		}
		out = append(out, names.Payload(d, o.GoName, what, o.Fields)...)
	}
	return out
}
