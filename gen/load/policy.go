package load

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/hegner123/modulagen/gen/language"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/gen/near"
)

// kindKeys are the keys of a policy that stand in the kinds when there are any.
var kindKeys = []string{"rate", "concurrency", "per", "unique"}

// policies reads how jobs are run: of the queue, and of each kind, which takes
// over what it does not say itself.
func (def *definition) policies(n *yaml.Node, q *model.QueueSection) {
	kinds := section(n, "kinds")
	if get(n, "kinds") != nil {
		for _, key := range kindKeys {
			if at, _ := pair(n, key); at != nil {
				def.f.wrong(at, key+" stands in the kinds when a queue has some", "move it to the kinds that it is for")
			}
		}
		q.Policy = model.Policy{Timeout: duration(n, "timeout"), Backoff: backoff(n)}
	} else {
		q.Policy = def.policy(n, policyOf{name: def.d.Name, q: q})
	}
	if len(q.Names) > 0 {
		q.Policy.Queue = q.Names[0].Name
	}
	for _, k := range q.Kinds {
		at := section(kinds, k.Name)
		k.Policy = def.policy(at, policyOf{name: "kind " + k.Name, kind: true, members: k.Fields, q: q})
		k.Policy.Queue = def.queueOf(at, k, q)
		k.Policy.MaxAttempts = def.attempts(at, q)
		k.Policy.Timeout = cmp.Or(k.Policy.Timeout, q.Policy.Timeout)
		if get(at, "backoff") == nil {
			k.Policy.Backoff = q.Policy.Backoff
		}
	}
}

// policyOf is whose policy is read.
type policyOf struct {
	name    string // for messages
	kind    bool
	members []*model.Field // of a kind
	q       *model.QueueSection
}

func (def *definition) policy(n *yaml.Node, of policyOf) model.Policy {
	p := model.Policy{Timeout: duration(n, "timeout"), Backoff: backoff(n), Rate: rate(n)}
	p.Concurrency, _ = integer(n, "concurrency")
	if at := get(n, "per"); at != nil && isText(at) && at.Value != "" {
		p.Per = def.keyField(at, "per", of)
		if get(n, "rate") == nil && get(n, "concurrency") == nil {
			key, _ := pair(n, "per")
			def.f.wrong(key, "per goes with rate or concurrency, and there is neither", "add one of them, or remove it")
		}
	}
	if at := section(n, "unique"); at != nil {
		p.Unique = def.uniqueJobs(at, of)
	}
	return p
}

func backoff(n *yaml.Node) model.Backoff {
	list := items(n, "backoff")
	if list == nil {
		return model.Backoff{Form: str(n, "backoff")}
	}
	b := model.Backoff{Form: "list"}
	for _, at := range list {
		b.Delays = append(b.Delays, durationOf(at))
	}
	return b
}

func rate(n *yaml.Node) *model.Rate {
	at := section(n, "rate")
	if at == nil {
		return nil
	}
	most, _ := integer(at, "max")
	return &model.Rate{Max: most, Every: duration(at, "every")}
}

// queueOf finds the named queue that a kind's jobs go to.
func (def *definition) queueOf(n *yaml.Node, k *model.Kind, q *model.QueueSection) string {
	at := get(n, "queue")
	if at == nil || !isText(at) || at.Value == "" {
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
	def.f.wrong(at, fmt.Sprintf("kind %s goes to queue %q, which queues does not have", k.Name, at.Value), hint)
	return ""
}

// attempts reads after how many a job of a kind is dead, which the row's own
// field must be able to hold.
func (def *definition) attempts(n *yaml.Node, q *model.QueueSection) int64 {
	most, ok := integer(n, "attempts")
	if !ok || q.MaxAttempts == nil {
		return most
	}
	rules := q.MaxAttempts.Rules
	rules.Secret = false
	for _, failure := range rules.Check(most) {
		def.f.wrong(get(n, "attempts"), fmt.Sprintf("%s cannot hold %d: it %s", q.MaxAttempts.Name, most, failure.Message), "write another number, or change the field")
	}
	return most
}

// uniqueJobs reads what makes two jobs alike. What the keys of a debounce mean
// without one, no reader could tell, so that they are refused.
func (def *definition) uniqueJobs(n *yaml.Node, of policyOf) *model.Unique {
	u := &model.Unique{
		For: duration(n, "for"), OnDuplicate: cmp.Or(str(n, "on_duplicate"), "keep"),
		Wait: duration(n, "wait"), AtMost: duration(n, "at_most"),
	}
	for _, at := range items(n, "by") {
		if !isText(at) || at.Value == "" {
			continue
		}
		f := def.keyField(at, "unique", of)
		if f == nil {
			continue
		}
		if slices.Contains(u.By, f) {
			def.f.wrong(at, f.Name+" stands twice in by", "remove one")
			continue
		}
		u.By = append(u.By, f)
	}
	if u.OnDuplicate == "debounce" {
		def.debounce(n, u)
		return u
	}
	for _, key := range []string{"wait", "at_most"} {
		if at, _ := pair(n, key); at != nil {
			def.f.wrong(at, fmt.Sprintf("%s goes with on_duplicate: debounce, not with %s", key, u.OnDuplicate), "write on_duplicate: debounce, or remove it")
		}
	}
	return u
}

func (def *definition) debounce(n *yaml.Node, u *model.Unique) {
	if at, _ := pair(n, "for"); at != nil {
		def.f.wrong(at, "for does not go with on_duplicate: debounce, which keeps others out until the job starts", "remove it; wait says how long the job waits")
	}
	if get(n, "wait") == nil {
		def.f.wrong(get(n, "on_duplicate"), "debounce needs wait", "add wait: how long the job waits after the latest one like it, such as 30s")
		return
	}
	if at := get(n, "at_most"); at == nil {
		u.AtMost = min(10*u.Wait, language.MaxDuration)
	} else if u.AtMost > 0 && u.AtMost < u.Wait {
		def.f.wrong(at, fmt.Sprintf("at_most %s is less than wait %s", at.Value, get(n, "wait").Value), "swap them, or write a longer at_most")
	}
}

// keyTypes are the types whose values have one short text each.
var keyTypes = []string{"text", "number", "boolean", "date", "select", "email", "url", "slug", "reference"}

// keyField finds the field by whose value jobs are told apart: a member of the
// payload where there is one, else a field of the row that nobody changes on
// the job's way.
func (def *definition) keyField(at *yaml.Node, key string, of policyOf) *model.Field {
	f := byName(of.members, at.Value)
	if f == nil {
		f = byName(def.d.Fields, at.Value)
	}
	if f == nil {
		def.noKey(at, of)
		return nil
	}
	q := of.q
	switch {
	case !slices.Contains(keyTypes, f.Type):
		def.f.wrong(at, fmt.Sprintf("%s is of type %s, by which jobs cannot be told apart", f.Name, f.Type), "name a field of one of the types "+strings.Join(keyTypes, ", "))
	case f.Secret:
		def.f.wrong(at, fmt.Sprintf("%s is secret, and what %s names is kept in plain text", f.Name, key), "name another field")
	case slices.Contains([]*model.Field{q.State, q.Attempts, q.Error}, f):
		def.f.wrong(at, fmt.Sprintf("%s is what the queue itself writes, so that it does not tell jobs apart", f.Name), "name another field")
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
func (def *definition) noKey(at *yaml.Node, of policyOf) {
	if at.Value == "id" {
		def.f.wrong(at, "id cannot be named here", "every job has another one")
		return
	}
	var members, all []string
	for _, f := range of.members {
		members = append(members, f.Name)
	}
	for _, f := range def.d.Fields {
		all = append(all, f.Name)
	}
	message := fmt.Sprintf("%s has no field %q", of.name, at.Value)
	if of.kind {
		message = fmt.Sprintf("neither %s nor %s has a field %q", of.name, def.d.Name, at.Value)
	}
	hint := ""
	if meant := near.Word(at.Value, append(members, all...)); meant != "" {
		hint = fmt.Sprintf("write %q", meant)
	} else if len(members) > 0 && len(members) <= 20 {
		hint = "the payload's fields are " + strings.Join(members, ", ")
	} else if len(all) <= 20 {
		hint = "the fields of " + def.d.Name + " are " + strings.Join(all, ", ")
	}
	def.f.wrong(at, message, hint)
}
