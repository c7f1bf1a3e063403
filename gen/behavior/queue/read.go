package queue

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/hegner123/modulagen/gen/language"
	"github.com/hegner123/modulagen/gen/load"
	"github.com/hegner123/modulagen/gen/load/node"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/gen/near"
	"github.com/hegner123/modulagen/runtime/queue/protocol"
	"github.com/hegner123/modulagen/runtime/store/check"
)

// Key declares the section.
func (Behavior) Key() language.Key {
	return language.Key{Name: Name, Help: "makes the rows jobs that workers take up", Value: &language.Value{Form: language.Section, Keys: grammar}}
}

// Link holds the index that the queue adds to what databases can keep.
func (Behavior) Link(def *load.Definition, section *yaml.Node) {
	if q := Of(def.Datatype); q.State != nil {
		def.IndexSize(append([]model.IndexColumn{{Field: q.State}}, q.Order...), node.Get(section, "order"))
	}
}

// reader reads the section of one definition.
type reader struct{ def *load.Definition }

// Fields adds none: those that the pass adds are the queue's own.
func (Behavior) Fields(*load.Definition, *yaml.Node, *yaml.Node) {}

// Read reads the section and resolves the fields that it names.
func (Behavior) Read(def *load.Definition, _, n *yaml.Node) {
	r := reader{def}
	q := &Section{Pos: def.Pos(n)}
	def.Datatype.SetSection(Name, q)
	r.state(n, q)
	for _, c := range node.Items(n, "order") {
		if !node.IsText(c) {
			continue
		}
		if col := r.def.Column(c); col.Field != nil && r.def.Indexable(c, col.Field) {
			if slices.ContainsFunc(q.Order, func(o model.IndexColumn) bool { return o.Field == col.Field }) {
				r.def.Wrong(c, col.Field.Name+" stands twice in order", "remove one")
				continue
			}
			q.Order = append(q.Order, col)
		}
	}
	q.RunAt = r.def.Role(n, "run_at", "", "datetime")
	q.Attempts = r.def.Role(n, "attempts", "attempts", "number")
	q.MaxAttempts = r.def.Role(n, "max_attempts", "max_attempts", "number")
	q.Error = r.def.Role(n, "error", "error", "text", "textarea")
	q.StartedAt = r.def.Role(n, "started_at", "started_at", "datetime")
	q.CompletedAt = r.def.Role(n, "completed_at", "completed_at", "datetime")
	q.ClaimedBy = r.def.Role(n, "claimed_by", "claimed_by", "text", "textarea")
	r.counters(n, q)
	r.ageing(n, q)
	r.retention(n, q)
	r.queueNames(n, q)
	r.kinds(n, q)
	r.policies(n, q)
	r.distinct(n, q)
}

func (r reader) state(n *yaml.Node, q *Section) {
	s := node.Section(n, "state")
	if s == nil {
		return
	}
	q.State = r.def.Role(s, "field", "", "select")
	if q.State == nil {
		return
	}
	q.State.StateOf = Name
	if !q.State.NotNull {
		r.def.Wrong(node.Get(s, "field"), fmt.Sprintf("%s may be null, and a job is always in some state", q.State.Name), fmt.Sprintf("give it default: %s", cmp.Or(node.Text(s, "ready"), "pending")))
	}
	seen := map[string]string{}
	for _, part := range queueStates(q) {
		at, value := node.Get(s, part.name), node.Text(s, part.name)
		if value == "" {
			continue
		}
		if !slices.Contains(q.State.Rules.Options, value) {
			r.def.Wrong(at, fmt.Sprintf("%s has no option %q", q.State.Name, value), stateHint(s, q, value))
			continue
		}
		if !node.ASCII(value) {
			r.def.Wrong(at, fmt.Sprintf("the state %s is %q, and a queue's states hold only ASCII characters", part.name, value), fmt.Sprintf("give the option an ASCII value, and label: %s", value))
			continue
		}
		if other := seen[value]; other != "" {
			r.def.Wrong(at, fmt.Sprintf("%s and %s are both %q", other, part.name, value), "each needs an option of its own")
			continue
		}
		seen[value] = part.name
		*part.to = value
	}
}

// queueState is one of the states of a job that the queue itself writes.
type queueState struct {
	name string
	to   *string
}

func queueStates(q *Section) []queueState {
	return []queueState{{"ready", &q.Ready}, {"running", &q.Running}, {"done", &q.Done}, {"dead", &q.Dead}, {"cancelled", &q.Cancelled}, {"unknown", &q.Unknown}}
}

// stateHint proposes an option that is spelled alike, unless another state has
// it: "pending" is near to "sending" and means something else.
func stateHint(n *yaml.Node, q *Section, value string) string {
	var free []string
	for _, o := range q.State.Rules.Options {
		if !slices.ContainsFunc(queueStates(q), func(s queueState) bool { return node.Text(n, s.name) == o }) {
			free = append(free, o)
		}
	}
	if meant := near.Word(value, free); meant != "" {
		return fmt.Sprintf("write %q", meant)
	}
	return "its options are " + strings.Join(q.State.Rules.Options, ", ")
}

// counters hold the queue's own writes to what the fields allow: a queue that
// cannot count an attempt would try for ever.
func (r reader) counters(n *yaml.Node, q *Section) {
	for _, c := range []struct {
		key   string
		f     *model.Field
		usual string
	}{{"attempts", q.Attempts, "0"}, {"max_attempts", q.MaxAttempts, "3"}} {
		if c.f != nil && !c.f.NotNull {
			at := node.Or(node.Get(n, c.key), node.Get(r.def.Node(c.f), "name"), n)
			r.def.Wrong(at, fmt.Sprintf("%s may be null, and a queue counts with it", c.f.Name), "give it default: "+c.usual)
		}
	}
	for _, f := range []*model.Field{q.Error, q.RunAt, q.StartedAt, q.CompletedAt, q.ClaimedBy} {
		if f != nil && f.Required {
			r.def.Wrong(node.Or(node.Get(r.def.Node(f), "required"), n), fmt.Sprintf("%s is required, but the queue fills it in later", f.Name), "leave required out")
		}
	}
}

// distinct refuses one field in two roles: one would overwrite the other.
func (r reader) distinct(n *yaml.Node, q *Section) {
	roles := map[*model.Field]string{}
	for _, part := range []struct {
		key string
		f   *model.Field
	}{
		{"state", q.State},
		{"run_at", q.RunAt},
		{"attempts", q.Attempts},
		{"max_attempts", q.MaxAttempts},
		{"error", q.Error},
		{"started_at", q.StartedAt},
		{"completed_at", q.CompletedAt},
		{"claimed_by", q.ClaimedBy},
		{"kind", q.KindField},
		{"payload", q.PayloadField},
	} {
		if part.f == nil {
			continue
		}
		if other := roles[part.f]; other != "" {
			r.def.Wrong(node.Or(node.Get(n, part.key), n), fmt.Sprintf("%s and %s are both the field %s", other, part.key, part.f.Name), "each needs a field of its own")
			continue
		}
		roles[part.f] = part.key
	}
	if f := q.ClaimedBy; f != nil && f.Rules.Max.IsSet() && f.Rules.Max.Compare(check.AtInt(protocol.MaxClaimant)) < 0 {
		r.def.Wrong(node.Or(node.Get(r.def.Node(f), "max"), n), fmt.Sprintf("%s holds %s characters at most, and the name of a process has up to %d", f.Name, f.Rules.Max, protocol.MaxClaimant), fmt.Sprintf("write max: %d", protocol.MaxClaimant))
	}
	if q.Error != nil && q.Error.Rules.Kind == check.Text && q.Error.Unique {
		r.def.Wrong(node.Or(node.Get(r.def.Node(q.Error), "unique"), n), "two jobs may fail alike", "leave unique out")
	}
}
