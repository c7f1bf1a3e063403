package mail

import (
	"github.com/hegner123/modulagen/gen/goname"
	"github.com/hegner123/modulagen/gen/mistake"
	"github.com/hegner123/modulagen/gen/model"
)

// Tables adds none. It has each mailbox know the others.
func (Behavior) Tables(p *model.Project) {
	var names []string
	for _, d := range p.Datatypes {
		if Of(d) != nil {
			names = append(names, d.Name)
		}
	}
	for _, d := range p.Datatypes {
		if s := Of(d); s != nil {
			s.Mailboxes = names
		}
	}
}

// Apply has messages checked when they are added, and declares what is printed.
func (Behavior) Apply(d *model.Datatype) mistake.List {
	d.Effects = append(d.Effects, model.Effect{
		On: model.Creates, Rows: true,
		Run:    &model.Call{Package: outboxPath, Func: "Check", Args: []string{"&" + SpecName(d)}},
		Missed: "It adds rows to " + d.Name + ", and nothing checks whether they can be sent.",
	})
	s := Of(d)
	texts := []string{SpecName(d), rowName(d)}
	if s.Suppressions != nil {
		texts = append(texts, suppressionName(d))
	}
	for _, text := range texts {
		d.Names = append(d.Names, model.Name{Space: model.SpaceGo, Text: text, What: "the code of mail", Pos: d.GoPos, Owner: d, Hint: "give it another go_name"})
	}
	for _, method := range s.methods() {
		d.Names = append(d.Names, model.Name{Space: model.Members(d.GoRow + "Table"), Text: method, What: "the method of every mailbox", Pos: d.Pos, Owner: d, Added: true})
	}
	return nil
}

func (s *Section) methods() []string {
	out := []string{"Send", "SendMany"}
	if s.Suppressions != nil {
		out = append(out, "Suppress")
	}
	return out
}

func SpecName(d *model.Datatype) string        { return goname.Unexported(d.GoRow) + "Mail" }
func rowName(d *model.Datatype) string         { return goname.Unexported(d.GoRow) + "Message" }
func suppressionName(d *model.Datatype) string { return goname.Unexported(d.GoRow) + "Suppression" }
