package load

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"gopkg.in/yaml.v3"

	"github.com/hegner123/modulagen/gen/goname"
	"github.com/hegner123/modulagen/gen/language"
	"github.com/hegner123/modulagen/gen/model"
)

// kinds reads the kinds of jobs and their payloads.
func (def *definition) kinds(n *yaml.Node, q *model.QueueSection) {
	list := section(n, "kinds")
	kind := def.role(n, "kind", "job_type", "text", "select", "slug")
	payload := def.role(n, "payload", "payload", "json")
	if list == nil {
		for _, key := range []string{"kind", "payload"} {
			if at, _ := pair(n, key); at != nil {
				def.f.wrong(at, key+" goes with kinds, and there are none", "add kinds, or remove it")
			}
		}
		return
	}
	at, _ := pair(n, "kinds")
	q.KindField, q.PayloadField = kind, payload
	if kind == nil && get(n, "kind") == nil {
		def.f.wrong(at, "kinds need a field that holds a job's kind", "add a field: {name: job_type, type: text, max: 100, required: true}")
	}
	if payload == nil && get(n, "payload") == nil {
		def.f.wrong(at, "kinds need a field that holds a job's payload", "add a field: {name: payload, type: json, required: true}")
	}
	if payload != nil && (payload.JSONGoName != "" || payload.GoType != "") {
		def.f.wrong(at, fmt.Sprintf("%s has a struct of its own, and its kinds have theirs", payload.Name), "remove its fields or its go_type")
	}
	for i := 0; i+1 < len(list.Content); i += 2 {
		if list.Content[i+1].Kind == yaml.MappingNode {
			def.kind(list.Content[i], list.Content[i+1], q)
		}
	}
}

func (def *definition) kind(key, n *yaml.Node, q *model.QueueSection) {
	k := &model.Kind{Pos: def.f.pos(key), GoPos: def.f.pos(or(get(n, "go_name"), key)), Name: key.Value, GoName: cmp.Or(str(n, "go_name"), goname.Exported(key.Value))}
	if slices.ContainsFunc(q.Kinds, func(o *model.Kind) bool { return o.Name == k.Name }) {
		return // reported
	}
	if q.KindField != nil {
		rules := q.KindField.Rules
		rules.Secret = false
		for _, failure := range rules.Check(k.Name) {
			def.f.wrong(key, fmt.Sprintf("%s cannot hold %s: it %s", q.KindField.Name, k.Name, failure.Message), "rename the kind, or change the field")
		}
	}
	k.Fields = def.memberFields(n, k.GoName)
	def.version(n, k)
	q.Kinds = append(q.Kinds, k)
}

// version reads which version of its payload a kind has, and what the payload
// was before. Every older version that is written leads on to this one, so that
// none may be left out on the way.
func (def *definition) version(n *yaml.Node, k *model.Kind) {
	k.Version = 1
	at := get(n, "version")
	if at != nil {
		v, ok := integer(n, "version")
		if !ok || v < 1 {
			return // reported
		}
		k.Version = int(v)
	}
	list := section(n, "older")
	if list == nil {
		return
	}
	if at == nil {
		key, _ := pair(n, "older")
		def.f.wrong(key, fmt.Sprintf("older goes with version, and kind %s has none", k.Name), "add version: the number after the greatest in older")
		return
	}
	for i := 0; i+1 < len(list.Content); i += 2 {
		def.older(list.Content[i], list.Content[i+1], k)
	}
	slices.SortStableFunc(k.Older, func(a, b *model.OldPayload) int { return cmp.Compare(a.Version, b.Version) })
	for i, o := range k.Older {
		next := k.Version
		if i+1 < len(k.Older) {
			next = k.Older[i+1].Version
		}
		if missing := o.Version + 1; missing < next {
			key, _ := pair(list, strconv.Itoa(o.Version))
			def.f.wrong(key, fmt.Sprintf("older has version %d of kind %s and not version %d, so that the way to version %d has a gap", o.Version, k.Name, missing, k.Version),
				fmt.Sprintf("add %d, or remove those before it", missing))
		}
	}
}

func (def *definition) older(key, n *yaml.Node, k *model.Kind) {
	version, err := strconv.Atoi(key.Value)
	if err != nil || !matches(language.VersionPattern, key.Value) || n.Kind != yaml.MappingNode || slices.ContainsFunc(k.Older, func(o *model.OldPayload) bool { return o.Version == version }) {
		return // reported
	}
	if version >= k.Version {
		hint := fmt.Sprintf("write version: %d, or remove it from older", version+1)
		def.f.wrong(key, fmt.Sprintf("version %d is not older than version %d, which kind %s has", version, k.Version, k.Name), hint)
		return
	}
	old := &model.OldPayload{Pos: def.f.pos(key), Version: version, GoName: fmt.Sprintf("%sV%d", k.GoName, version)}
	old.Fields = def.memberFields(n, old.GoName)
	k.Older = append(k.Older, old)
}
