package queue

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/hegner123/modulagen/gen/language"
	"github.com/hegner123/modulagen/gen/load/node"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/gen/near"
)

// kindKeys are the keys of a policy that stand in the kinds when there are any.
var kindKeys = []string{"rate", "concurrency", "per", "unique"}

// policies reads how jobs are run: of the queue, and of each kind, which takes
// over what it does not say itself.
func (r reader) policies(n *yaml.Node, q *Section) {
	kinds := node.Section(n, "kinds")
	if node.Get(n, "kinds") != nil {
		for _, key := range kindKeys {
			if at, _ := node.Pair(n, key); at != nil {
				r.def.Wrong(at, key+" stands in the kinds when a queue has some", "move it to the kinds that it is for")
			}
		}
		q.Policy = Policy{Timeout: node.Duration(n, "timeout"), Backoff: backoff(n)}
	} else {
		q.Policy = r.policy(n, policyOf{name: r.def.Datatype.Name, q: q})
	}
	if len(q.Names) > 0 {
		q.Policy.Queue = q.Names[0].Name
	}
	for _, k := range q.Kinds {
		at := node.Section(kinds, k.Name)
		k.Policy = r.policy(at, policyOf{name: "kind " + k.Name, kind: true, members: k.Fields, q: q})
		k.Policy.Queue = r.queueOf(at, k, q)
		k.Policy.MaxAttempts = r.attempts(at, q)
		k.Policy.Timeout = cmp.Or(k.Policy.Timeout, q.Policy.Timeout)
		if node.Get(at, "backoff") == nil {
			k.Policy.Backoff = q.Policy.Backoff
		}
	}
}

// policyOf is whose policy is read.
type policyOf struct {
	name    string // for messages
	kind    bool
	members []*model.Field // of a kind
	q       *Section
}

func (r reader) policy(n *yaml.Node, of policyOf) Policy {
	p := Policy{Timeout: node.Duration(n, "timeout"), Backoff: backoff(n), Rate: rate(n)}
	p.Concurrency, _ = node.Int(n, "concurrency")
	if at := node.Get(n, "per"); at != nil && node.IsText(at) && at.Value != "" {
		p.Per = r.keyField(at, "per", of)
		if node.Get(n, "rate") == nil && node.Get(n, "concurrency") == nil {
			key, _ := node.Pair(n, "per")
			r.def.Wrong(key, "per goes with rate or concurrency, and there is neither", "add one of them, or remove it")
		}
	}
	if at := node.Section(n, "unique"); at != nil {
		p.Unique = r.uniqueJobs(at, of)
	}
	return p
}

func backoff(n *yaml.Node) Backoff {
	list := node.Items(n, "backoff")
	if list == nil {
		return Backoff{Form: node.Text(n, "backoff")}
	}
	b := Backoff{Form: "list"}
	for _, at := range list {
		b.Delays = append(b.Delays, node.DurationOf(at))
	}
	return b
}

func rate(n *yaml.Node) *Rate {
	at := node.Section(n, "rate")
	if at == nil {
		return nil
	}
	most, _ := node.Int(at, "max")
	return &Rate{Max: most, Every: node.Duration(at, "every")}
}

// queueOf finds the named queue that a kind's jobs go to.
func (r reader) queueOf(n *yaml.Node, k *Kind, q *Section) string {
	at := node.Get(n, "queue")
	if at == nil || !node.IsText(at) || at.Value == "" {
		return q.Policy.Queue
	}
	var known []string
	for _, name := range q.Names {
		known = append(known, name.Name)
	}
	if slices.Contains(known, at.Value) {
		return at.Value
	}
	hint := "its queues are " + strings.Join(known, ", ")
	if meant := near.Word(at.Value, known); meant != "" {
		hint = fmt.Sprintf("write %q", meant)
	} else if len(known) == 0 {
		hint = fmt.Sprintf("add queues: {%s: {}} to the queue section, with the one first that other jobs go to", at.Value)
	}
	r.def.Wrong(at, fmt.Sprintf("kind %s goes to queue %q, which queues does not have", k.Name, at.Value), hint)
	return ""
}

// attempts reads after how many a job of a kind is dead, which the row's own
// field must be able to hold.
func (r reader) attempts(n *yaml.Node, q *Section) int64 {
	most, ok := node.Int(n, "attempts")
	if !ok || q.MaxAttempts == nil {
		return most
	}
	rules := q.MaxAttempts.Rules
	rules.Secret = false
	for _, failure := range rules.Check(most) {
		r.def.Wrong(node.Get(n, "attempts"), fmt.Sprintf("%s cannot hold %d: it %s", q.MaxAttempts.Name, most, failure.Message), "write another number, or change the field")
	}
	return most
}

// uniqueJobs reads what makes two jobs alike. What the keys of a debounce mean
// without one, no reader could tell, so that they are refused.
func (r reader) uniqueJobs(n *yaml.Node, of policyOf) *Unique {
	u := &Unique{
		For: node.Duration(n, "for"), OnDuplicate: cmp.Or(node.Text(n, "on_duplicate"), "keep"),
		Wait: node.Duration(n, "wait"), AtMost: node.Duration(n, "at_most"),
	}
	for _, at := range node.Items(n, "by") {
		if !node.IsText(at) || at.Value == "" {
			continue
		}
		f := r.keyField(at, "unique", of)
		if f == nil {
			continue
		}
		if slices.Contains(u.By, f) {
			r.def.Wrong(at, f.Name+" stands twice in by", "remove one")
			continue
		}
		u.By = append(u.By, f)
	}
	if u.OnDuplicate == "debounce" {
		r.debounce(n, u)
		return u
	}
	for _, key := range []string{"wait", "at_most"} {
		if at, _ := node.Pair(n, key); at != nil {
			r.def.Wrong(at, fmt.Sprintf("%s goes with on_duplicate: debounce, not with %s", key, u.OnDuplicate), "write on_duplicate: debounce, or remove it")
		}
	}
	return u
}

func (r reader) debounce(n *yaml.Node, u *Unique) {
	if at, _ := node.Pair(n, "for"); at != nil {
		r.def.Wrong(at, "for does not go with on_duplicate: debounce, which keeps others out until the job starts", "remove it; wait says how long the job waits")
	}
	if node.Get(n, "wait") == nil {
		r.def.Wrong(node.Get(n, "on_duplicate"), "debounce needs wait", "add wait: how long the job waits after the latest one like it, such as 30s")
		return
	}
	if at := node.Get(n, "at_most"); at == nil {
		u.AtMost = min(10*u.Wait, language.MaxDuration)
	} else if u.AtMost > 0 && u.AtMost < u.Wait {
		r.def.Wrong(at, fmt.Sprintf("at_most %s is less than wait %s", at.Value, node.Get(n, "wait").Value), "swap them, or write a longer at_most")
	}
}

// keyTypes are the types whose values have one short text each.
var keyTypes = []string{"text", "number", "boolean", "date", "select", "email", "url", "slug", "reference"}

// keyField finds the field by whose value jobs are distinguished: a member of the
// payload where there is one, else a field of the row that nobody changes on
// the job's way.
func (r reader) keyField(at *yaml.Node, key string, of policyOf) *model.Field {
	f := byName(of.members, at.Value)
	if f == nil {
		f = byName(r.def.Datatype.Fields, at.Value)
	}
	if f == nil {
		r.noKey(at, of)
		return nil
	}
	q := of.q
	switch {
	case !slices.Contains(keyTypes, f.Type):
		r.def.Wrong(at, fmt.Sprintf("%s is of type %s, by which jobs cannot be told apart", f.Name, f.Type), "name a field of one of the types "+strings.Join(keyTypes, ", "))
	case f.Secret:
		r.def.Wrong(at, fmt.Sprintf("%s is secret, and what %s names is kept in plain text", f.Name, key), "name another field")
	case slices.Contains([]*model.Field{q.State, q.Attempts, q.Error}, f):
		r.def.Wrong(at, fmt.Sprintf("%s is what the queue itself writes, so that it does not tell jobs apart", f.Name), "name another field")
	default:
		return f
	}
	return nil
}

func byName(fields []*model.Field, name string) *model.Field {
	if i := slices.IndexFunc(fields, func(f *model.Field) bool { return f.Name == name }); i >= 0 {
		return fields[i]
	}
	return nil
}

// noKey says that there is no such field, and which there are.
func (r reader) noKey(at *yaml.Node, of policyOf) {
	if at.Value == "id" {
		r.def.Wrong(at, "id cannot be named here", "every job has another one")
		return
	}
	var members, all []string
	for _, f := range of.members {
		members = append(members, f.Name)
	}
	for _, f := range r.def.Datatype.Fields {
		all = append(all, f.Name)
	}
	message := fmt.Sprintf("%s has no field %q", of.name, at.Value)
	if of.kind {
		message = fmt.Sprintf("neither %s nor %s has a field %q", of.name, r.def.Datatype.Name, at.Value)
	}
	hint := ""
	if meant := near.Word(at.Value, append(members, all...)); meant != "" {
		hint = fmt.Sprintf("write %q", meant)
	} else if len(members) > 0 && len(members) <= 20 {
		hint = "the payload's fields are " + strings.Join(members, ", ")
	} else if len(all) <= 20 {
		hint = "the fields of " + r.def.Datatype.Name + " are " + strings.Join(all, ", ")
	}
	r.def.Wrong(at, message, hint)
}
