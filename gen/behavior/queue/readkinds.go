package queue

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"gopkg.in/yaml.v3"

	"github.com/hegner123/modulagen/gen/goname"
	"github.com/hegner123/modulagen/gen/load/node"
)

// kindTypes are the types of the field that holds a kind.
var kindTypes = []string{"text", "select", "slug"}

// kinds reads the kinds of jobs and their payloads.
func (r reader) kinds(n *yaml.Node, q *Section) {
	list := node.Section(n, "kinds")
	kind := r.def.Role(n, "kind", "job_type", kindTypes...)
	payload := r.def.Role(n, "payload", "payload", "json")
	if list == nil {
		for _, key := range []string{"kind", "payload"} {
			if at, _ := node.Pair(n, key); at != nil {
				r.def.Wrong(at, key+" goes with kinds, and there are none", "add kinds, or remove it")
			}
		}
		return
	}
	at, _ := node.Pair(n, "kinds")
	q.KindField, q.PayloadField = kind, payload
	if kind == nil && node.Get(n, "kind") == nil {
		r.def.Lacks(at, "kinds need a field that holds a job's kind", "job_type", "add a field: {name: job_type, type: text, max: 100, required: true}", kindTypes...)
	}
	if payload == nil && node.Get(n, "payload") == nil {
		r.def.Lacks(at, "kinds need a field that holds a job's payload", "payload", "add a field: {name: payload, type: json, required: true}", "json")
	}
	if payload != nil && (payload.JSONGoName != "" || payload.GoType != "") {
		r.def.Wrong(at, fmt.Sprintf("%s has a struct of its own, and its kinds have theirs", payload.Name), "remove its fields or its go_type")
	}
	for i := 0; i+1 < len(list.Content); i += 2 {
		if list.Content[i+1].Kind == yaml.MappingNode {
			r.kind(list.Content[i], list.Content[i+1], q)
		}
	}
}

func (r reader) kind(key, n *yaml.Node, q *Section) {
	k := &Kind{Pos: r.def.Pos(key), GoPos: r.def.Pos(node.Or(node.Get(n, "go_name"), key)), Name: key.Value, GoName: cmp.Or(node.Text(n, "go_name"), goname.Exported(key.Value))}
	if slices.ContainsFunc(q.Kinds, func(o *Kind) bool { return o.Name == k.Name }) {
		return // reported
	}
	if q.KindField != nil {
		rules := q.KindField.Rules
		rules.Secret = false
		for _, failure := range rules.Check(k.Name) {
			r.def.Wrong(key, fmt.Sprintf("%s cannot hold %s: it %s", q.KindField.Name, k.Name, failure.Message), "rename the kind, or change the field")
		}
	}
	k.Fields = r.def.MemberFields(n, k.GoName)
	r.version(n, k)
	q.Kinds = append(q.Kinds, k)
}

// version reads which version of its payload a kind has, and what the payload
// was before. Every older version that is written leads on to this one, so that
// none may be left out on the way.
func (r reader) version(n *yaml.Node, k *Kind) {
	k.Version = 1
	at := node.Get(n, "version")
	if at != nil {
		v, ok := node.Int(n, "version")
		if !ok || v < 1 {
			return // reported
		}
		k.Version = int(v)
	}
	list := node.Section(n, "older")
	if list == nil {
		return
	}
	if at == nil {
		key, _ := node.Pair(n, "older")
		r.def.Wrong(key, fmt.Sprintf("older goes with version, and kind %s has none", k.Name), "add version: the number after the greatest in older")
		return
	}
	for i := 0; i+1 < len(list.Content); i += 2 {
		r.older(list.Content[i], list.Content[i+1], k)
	}
	slices.SortStableFunc(k.Older, func(a, b *OldPayload) int { return cmp.Compare(a.Version, b.Version) })
	for i, o := range k.Older {
		next := k.Version
		if i+1 < len(k.Older) {
			next = k.Older[i+1].Version
		}
		if missing := o.Version + 1; missing < next {
			key, _ := node.Pair(list, strconv.Itoa(o.Version))
			r.def.Wrong(key, fmt.Sprintf("older has version %d of kind %s and not version %d, so that the way to version %d has a gap", o.Version, k.Name, missing, k.Version),
				fmt.Sprintf("add %d, or remove those before it", missing))
		}
	}
}

func (r reader) older(key, n *yaml.Node, k *Kind) {
	version, err := strconv.Atoi(key.Value)
	if err != nil || !node.Matches(versionPattern, key.Value) || n.Kind != yaml.MappingNode || slices.ContainsFunc(k.Older, func(o *OldPayload) bool { return o.Version == version }) {
		return // reported
	}
	if version >= k.Version {
		hint := fmt.Sprintf("write version: %d, or remove it from older", version+1)
		r.def.Wrong(key, fmt.Sprintf("version %d is not older than version %d, which kind %s has", version, k.Version, k.Name), hint)
		return
	}
	old := &OldPayload{Pos: r.def.Pos(key), Version: version, GoName: fmt.Sprintf("%sV%d", k.GoName, version)}
	old.Fields = r.def.MemberFields(n, old.GoName)
	k.Older = append(k.Older, old)
}
