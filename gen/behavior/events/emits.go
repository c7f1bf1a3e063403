package events

import (
	"cmp"
	"slices"

	"gopkg.in/yaml.v3"

	"github.com/hegner123/modulagen/gen/goname"
	"github.com/hegner123/modulagen/gen/language"
	"github.com/hegner123/modulagen/gen/load/node"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/gen/names"
)

// Emit is an event that programs write themselves, beside a row.
type Emit struct {
	Name   string // "paid"
	GoName string // "Paid"
	GoPos  model.Pos
	Fields []*model.Field // of its payload
}

// topic is its topic in the log. No datatype has it: their names have no dot.
func (e *Emit) topic(d *model.Datatype) string { return d.Name + "." + e.Name }

// The names of what is printed for it.
func (e *Emit) payload(d *model.Datatype) string { return d.GoRow + e.GoName }
func (e *Emit) event(d *model.Datatype) string   { return e.payload(d) + "Event" }
func (e *Emit) emission(d *model.Datatype) string {
	return goname.Unexported(e.payload(d)) + "Emission"
}
func (e *Emit) method() string { return "Emit" + e.GoName }

// maxEmits bounds the events that programs write of one datatype.
const maxEmits = 100

var writesGrammar = &language.Value{
	Form: language.List, Min: 1, Max: int64(len(ops)), Of: &language.Value{Form: language.Text, Choices: opNames()},
}

func opNames() []string {
	var out []string
	for _, op := range ops {
		out = append(out, op.name)
	}
	return out
}

// grammar is what may stand in the section that is no list.
var grammar = &language.Mapping{
	Name:  "the events section",
	Help:  "What happens to rows, and what programs emit, for subscriptions.",
	Meant: map[string]string{"on": "writes", "of": "writes", "own": "emits", "custom": "emits"},
	Keys: []language.Key{
		{Name: "writes", Help: "which writes are events, as in the list: create, update, delete, publish", Value: writesGrammar},
		{Name: "emits", Help: "events that programs write themselves, beside a row, each with the fields of its payload", Value: &language.Value{
			Form: language.Map, Min: 1, Max: maxEmits, Of: &language.Value{Form: language.Section, Keys: emitGrammar},
		}},
	},
}

// emitGrammar is one entry of emits.
var emitGrammar = &language.Mapping{
	Name:  "emitted event",
	Help:  "An event that programs write, whose payload is a Go struct.",
	Meant: map[string]string{"payload": "fields"},
	Keys: []language.Key{
		{Name: "fields", Help: "the fields of the event's payload; none unless given", Value: &language.Value{
			Form: language.List, Min: 1, Max: language.MaxMembers, Of: &language.Value{Form: language.Section, Keys: language.Member},
		}},
		{Name: "go_name", Help: "the event's name in Go, behind that of the row, when the one made from its name does not please", Value: language.GoNameValue},
	},
}

// emits reads the events that programs write.
func (r reader) emits(section *yaml.Node) {
	list := node.Section(section, "emits")
	if list == nil {
		return
	}
	for i := 0; i+1 < len(list.Content); i += 2 {
		key, n := list.Content[i], list.Content[i+1]
		if n.Kind != yaml.MappingNode || slices.ContainsFunc(r.s.Emits, func(o *Emit) bool { return o.Name == key.Value }) {
			continue // reported
		}
		e := &Emit{
			Name: key.Value, GoName: cmp.Or(node.Text(n, "go_name"), goname.Exported(key.Value)),
			GoPos: r.def.Pos(node.Or(node.Get(n, "go_name"), key)),
		}
		e.Fields = r.def.MemberFields(n, e.payload(r.def.Datatype))
		r.s.Emits = append(r.s.Emits, e)
	}
}

// names returns what is declared for an event that programs write.
func (e *Emit) names(d *model.Datatype) []model.Name {
	own := "the event " + e.topic(d)
	base := model.Name{Space: model.SpaceGo, What: own, Pos: e.GoPos, Owner: d, Hint: "give the event a go_name"}
	add := func(space, text, what string) model.Name {
		n := base
		n.Space, n.Text, n.What = space, text, what
		return n
	}
	out := []model.Name{
		add(model.SpaceGo, e.payload(d), "the payload of "+e.topic(d)),
		add(model.SpaceGo, e.event(d), own),
		add(model.SpaceGo, e.emission(d), "the code of "+e.topic(d)),
		add(model.Members(d.GoRow+"Table"), e.method(), "the method of "+e.topic(d)),
		add(model.Members(handlersName), e.payload(d), "the handler of "+e.topic(d)),
	}
	for _, member := range []string{"RowID", "Payload"} {
		out = append(out, model.Name{Space: model.Members(e.event(d)), Text: member, What: "the field of every emitted event", Pos: e.GoPos, Owner: d, Added: true})
	}
	return append(out, names.Payload(d, e.payload(d), e.topic(d), e.Fields)...)
}
