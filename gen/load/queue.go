package load

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/gen/near"
	"github.com/hegner123/modulagen/runtime/store/check"
)

// queue reads the queue section and resolves the fields that it names.
func (def *definition) queue() {
	n := section(def.n, "queue")
	if n == nil {
		return
	}
	q := &model.QueueSection{Pos: def.f.pos(n)}
	def.d.Queue = q
	def.state(n, q)
	for _, c := range items(n, "order") {
		if !isText(c) {
			continue
		}
		if col := def.column(c); col.Field != nil && def.indexable(c, col.Field) {
			if slices.ContainsFunc(q.Order, func(o model.IndexColumn) bool { return o.Field == col.Field }) {
				def.f.wrong(c, col.Field.Name+" stands twice in order", "remove one")
				continue
			}
			q.Order = append(q.Order, col)
		}
	}
	q.RunAt = def.role(n, "run_at", "", "datetime")
	q.Attempts = def.role(n, "attempts", "attempts", "number")
	q.MaxAttempts = def.role(n, "max_attempts", "max_attempts", "number")
	q.Error = def.role(n, "error", "error", "text", "textarea")
	q.StartedAt = def.role(n, "started_at", "started_at", "datetime")
	q.CompletedAt = def.role(n, "completed_at", "completed_at", "datetime")
	def.counters(n, q)
	def.ageing(n, q)
	def.retention(n, q)
	def.queueNames(n, q)
	def.kinds(n, q)
	def.policies(n, q)
	def.distinct(n, q)
}

func (def *definition) state(n *yaml.Node, q *model.QueueSection) {
	s := section(n, "state")
	if s == nil {
		return
	}
	q.State = def.role(s, "field", "", "select")
	if q.State == nil {
		return
	}
	if !q.State.NotNull {
		def.f.wrong(get(s, "field"), fmt.Sprintf("%s may be null, and a job is always in some state", q.State.Name), fmt.Sprintf("give it default: %s", cmp.Or(str(s, "ready"), "pending")))
	}
	seen := map[string]string{}
	for _, part := range queueStates(q) {
		at, value := get(s, part.name), str(s, part.name)
		if value == "" {
			continue
		}
		if !slices.Contains(q.State.Rules.Options, value) {
			def.f.wrong(at, fmt.Sprintf("%s has no option %q", q.State.Name, value), stateHint(s, q, value))
			continue
		}
		if other := seen[value]; other != "" {
			def.f.wrong(at, fmt.Sprintf("%s and %s are both %q", other, part.name, value), "each needs an option of its own")
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

func queueStates(q *model.QueueSection) []queueState {
	return []queueState{{"ready", &q.Ready}, {"running", &q.Running}, {"done", &q.Done}, {"dead", &q.Dead}, {"cancelled", &q.Cancelled}}
}

// stateHint proposes an option that is spelled alike, unless another state has
// it: "pending" is near to "sending" and means something else.
func stateHint(n *yaml.Node, q *model.QueueSection, value string) string {
	var free []string
	for _, o := range q.State.Rules.Options {
		if !slices.ContainsFunc(queueStates(q), func(s queueState) bool { return str(n, s.name) == o }) {
			free = append(free, o)
		}
	}
	if meant := near.Word(value, free); meant != "" {
		return fmt.Sprintf("write %q", meant)
	}
	return "its options are " + strings.Join(q.State.Rules.Options, ", ")
}

// role finds the field that a queue uses for something: the one that is named,
// or the one of the conventional name when it is there and fits.
func (def *definition) role(n *yaml.Node, key, conventional string, types ...string) *model.Field {
	at := get(n, key)
	if at == nil {
		for _, f := range def.d.Fields {
			if conventional != "" && f.Name == conventional && slices.Contains(types, f.Type) {
				return f
			}
		}
		return nil
	}
	if !isText(at) || at.Value == "" {
		return nil
	}
	f := def.find(at, at.Value)
	if f == nil {
		return nil
	}
	if !slices.Contains(types, f.Type) {
		if key == "field" {
			key = "a state"
		}
		def.f.wrong(at, fmt.Sprintf("%s is of type %s; %s needs type %s", f.Name, f.Type, key, strings.Join(types, " or ")), "")
		return nil
	}
	return f
}

// counters hold the queue's own writes to what the fields allow: a queue that
// cannot count an attempt would try for ever.
func (def *definition) counters(n *yaml.Node, q *model.QueueSection) {
	for _, c := range []struct {
		key   string
		f     *model.Field
		usual string
	}{{"attempts", q.Attempts, "0"}, {"max_attempts", q.MaxAttempts, "3"}} {
		if c.f != nil && !c.f.NotNull {
			at := or(get(n, c.key), get(def.nodes[c.f], "name"), n)
			def.f.wrong(at, fmt.Sprintf("%s may be null, and a queue counts with it", c.f.Name), "give it default: "+c.usual)
		}
	}
	for _, f := range []*model.Field{q.Error, q.RunAt, q.StartedAt, q.CompletedAt} {
		if f != nil && f.Required {
			def.f.wrong(or(get(def.nodes[f], "required"), n), fmt.Sprintf("%s is required, but the queue fills it in later", f.Name), "leave required out")
		}
	}
}

// distinct refuses one field in two roles: one would overwrite the other.
func (def *definition) distinct(n *yaml.Node, q *model.QueueSection) {
	roles := map[*model.Field]string{}
	for _, r := range []struct {
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
		{"kind", q.KindField},
		{"payload", q.PayloadField},
	} {
		if r.f == nil {
			continue
		}
		if other := roles[r.f]; other != "" {
			def.f.wrong(or(get(n, r.key), n), fmt.Sprintf("%s and %s are both the field %s", other, r.key, r.f.Name), "each needs a field of its own")
			continue
		}
		roles[r.f] = r.key
	}
	if q.Error != nil && q.Error.Rules.Kind == check.Text && q.Error.Unique {
		def.f.wrong(or(get(def.nodes[q.Error], "unique"), n), "two jobs may fail alike", "leave unique out")
	}
}
