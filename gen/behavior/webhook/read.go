package webhook

import (
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/hegner123/modulagen/gen/behavior/adapter"
	"github.com/hegner123/modulagen/gen/behavior/queue"
	"github.com/hegner123/modulagen/gen/language"
	"github.com/hegner123/modulagen/gen/load"
	"github.com/hegner123/modulagen/gen/load/node"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/check"
	"github.com/hegner123/modulagen/runtime/webhook/protocol"
)

// How long the other texts are that the runtime writes.
const (
	eventID   = 26
	eventType = language.MaxName + 8 // ".publish"
	rowID     = 26
)

// What the datatypes of webhooks need, in the order of the built-in ones.
var (
	deliveryNeeds = []adapter.Need{
		adapter.Must("fetch_request_id", "reference", "to: fetch_requests, required: true, on_delete: cascade"),
		adapter.Must("event_id", "text textarea", "max: 26, required: true").Holds(eventID),
		adapter.Must("event_type", "text textarea", "max: 100, required: true").Holds(eventType),
		adapter.May("route_id", "number", ""),
		adapter.May("content_data_id", "text textarea", "max: 64").Holds(rowID),
		adapter.May("url", "text textarea", "max: 8192").Holds(protocol.MaxURL),
		adapter.May("headers", "json", "secret: true").Holds(protocol.MaxBody),
		adapter.May("body", "text textarea", "max: 1048576").Holds(protocol.MaxBody),
	}
	requestNeeds = []adapter.Need{
		adapter.Can("name", "text slug", ""),
		adapter.Must("url", "url text", "max: 500, required: true"),
		adapter.Must("method", "select text", "default: POST"),
		adapter.May("headers", "json", "secret: true"),
		adapter.May("body_template", "text textarea", ""),
		adapter.Must("timeout", "number", "default: 30"),
		adapter.Must("retry_count", "number", "default: 3"),
		adapter.Must("active", "boolean", "default: true"),
		adapter.Must("ordered", "boolean", "default: false"),
		adapter.May("signing_keys", "json", "secret: true"),
		adapter.May("failing_since", "datetime", ""),
		adapter.May("disabled_reason", "text textarea", "max: 500").Holds(protocol.MaxReason),
	}
	linkNeeds = []adapter.Need{
		adapter.Must("fetch_request_id", "reference", "to: fetch_requests, required: true, on_delete: cascade"),
		adapter.May("route_id", "reference", "to: routes, on_delete: cascade"),
		adapter.Must("trigger_event", "select text", "required: true"),
		adapter.May("condition_json", "json", ""),
	}
	logNeeds = []adapter.Need{
		adapter.Must("fetch_request_id", "reference", "to: fetch_requests, required: true, on_delete: cascade"),
		adapter.May("route_id", "number", ""),
		adapter.May("content_data_id", "text textarea", "max: 64").Holds(rowID),
		adapter.May("trigger_event", "select text", "options: [create, update, delete, publish, test]").Takes("create", "update", "delete", "publish", "test"),
		adapter.May("request_body", "text textarea", "max: 1048576").Holds(protocol.MaxBody),
		adapter.May("response_status", "number", ""),
		adapter.May("response_body", "text textarea", "max: 65535").Holds(protocol.MaxResponse),
		adapter.May("error", "text textarea", "max: 65535").Holds(protocol.MaxError),
		adapter.Must("delivered_at", "datetime", "default: now"),
		adapter.May("delivery_id", "number", ""),
		adapter.May("event_id", "text textarea", "max: 26").Holds(eventID),
		adapter.May("attempt", "number", ""),
		adapter.May("duration", "number", ""),
		adapter.May("response_headers", "json", "").Holds(protocol.MaxResponseHeaders),
	}
	routeNeeds = []adapter.Need{adapter.Must("slug", "slug text", "required: true, unique: true")}
)

// Link resolves the datatypes that the section names, and the fields in them.
func (Behavior) Link(def *load.Definition, section *yaml.Node) {
	s, l := Of(def.Datatype), linker{def, section}
	l.one()
	requests, links, log := l.other("requests"), l.other("links"), l.other("log")
	if requests == nil || links == nil || log == nil || !l.apart(requests, links, log) {
		return // reported
	}
	q := queue.Of(def.Datatype)
	s.Deliveries = l.find(section, def, adapter.Use{
		Needs: deliveryNeeds, Adds: true, Key: []string{"fetch_request_id", "event_id"},
		Known: func(f *model.Field) bool { return q != nil && (f == q.State || f == q.Attempts || f == q.MaxAttempts) },
	})
	s.Requests = l.find(node.Get(section, "requests"), requests, adapter.Use{Needs: requestNeeds})
	s.Links = l.find(node.Get(section, "links"), links, adapter.Use{Needs: linkNeeds})
	s.Log = l.find(node.Get(section, "log"), log, adapter.Use{Needs: logNeeds, Adds: true})
	l.refersTo(def, s.Deliveries, requests)
	l.refersTo(links, s.Links, requests)
	l.refersTo(log, s.Log, requests)
	l.attempts(q, s.Requests.Fields["retry_count"])
	if f := s.Links.Fields["route_id"]; f != nil && f.References != nil {
		routes := links.Other(node.Get(links.Node(f), "to"))
		s.Routes = l.find(node.Get(section, "links"), routes, adapter.Use{Needs: routeNeeds})
	}
	l.failures(q)
	l.triggers(links, s.Links.Fields["trigger_event"])
}

// failures reports a queue in whose rows the runtime could not write why, or when, a delivery
// failed that could not be made: fields that the queue adds are its own.
func (l linker) failures(q *queue.Section) {
	if q == nil {
		return // reported
	}
	if q.Error == nil {
		l.def.Wrong(l.section, "webhooks write why a delivery could not be made, and the queue has no field for its error", "add {name: error, type: textarea}")
	}
	if q.CompletedAt == nil && len(q.Retention) > 0 {
		l.def.Wrong(l.section, "webhooks write when a delivery failed, by which retention goes, and the queue has no field for it", "add {name: completed_at, type: datetime}")
	}
}

// linker resolves the section of one definition.
type linker struct {
	def     *load.Definition
	section *yaml.Node
}

// one reports a second datatype with webhooks: which of them an event would go to is open.
func (l linker) one() {
	for d := range l.def.Others {
		if d != l.def.Datatype && Of(d) != nil && d.Name < l.def.Datatype.Name {
			l.def.Wrong(l.section, fmt.Sprintf("%s has webhooks already, and a project has one queue for them", d.Name), "remove one of them")
		}
	}
}

func (l linker) other(key string) *load.Definition {
	at := node.Get(l.section, key)
	if at == nil || !node.IsText(at) {
		return nil // reported
	}
	return l.def.Other(at)
}

// apart reports a datatype in two parts: a row of the log would be delivered, or a link sent.
func (l linker) apart(requests, links, log *load.Definition) bool {
	is := map[*load.Definition]string{l.def: "the queue itself"}
	for _, part := range []struct {
		key string
		of  *load.Definition
	}{{"requests", requests}, {"links", links}, {"log", log}} {
		if other := is[part.of]; other != "" {
			l.def.Wrong(node.Get(l.section, part.key), fmt.Sprintf("%s is %s, and cannot be %s too", part.of.Datatype.Name, other, part.key), "name another datatype")
			return false
		}
		is[part.of] = part.key
	}
	return true
}

func (l linker) find(at *yaml.Node, of *load.Definition, use adapter.Use) adapter.Table {
	use.By = "webhooks"
	return adapter.Find(l.def, at, of, use)
}

func (l linker) refersTo(of *load.Definition, t adapter.Table, requests *load.Definition) {
	name := requests.Datatype.Name
	if f := t.Fields["fetch_request_id"]; f != nil && f.References != nil && f.References != requests.Datatype {
		of.Wrong(node.Or(node.Get(of.Node(f), "to"), of.Node(f)), fmt.Sprintf("%s refers to %s, and the requests of webhooks are %s", f.Name, f.References.Name, name), "write to: "+name)
	}
}

// attempts reports a queue that takes fewer attempts than a request may ask for: the write
// that fires the webhook would be refused.
func (l linker) attempts(q *queue.Section, retries *model.Field) {
	if q == nil || q.MaxAttempts == nil || retries == nil {
		return
	}
	f := q.MaxAttempts
	at := node.Or(node.Get(l.def.Node(f), "name"), l.section)
	if least := f.Rules.Min; least.IsSet() && least.Compare(check.AtInt(1)) > 0 {
		l.def.Wrong(at, fmt.Sprintf("%s is at least %s, and a delivery may have one attempt", f.Name, least), "write min: 1")
	}
	most, asked := f.Rules.Max, retries.Rules.Max
	if most.IsSet() && (!asked.IsSet() || most.Compare(check.AtInt(asked.Int()+1)) < 0) {
		l.def.Wrong(at, fmt.Sprintf("%s is at most %s, and %s of a request may ask for more attempts", f.Name, most, retries.Name), "leave max out, or give "+retries.Name+" a max that is one less")
	}
}

// triggers reports an option of a select that is no event: a link with it would never fire.
func (l linker) triggers(links *load.Definition, f *model.Field) {
	if f == nil {
		return
	}
	for _, option := range f.Rules.Options {
		if !slices.Contains(triggers, option) {
			links.Wrong(node.Or(node.Get(links.Node(f), "options"), links.Node(f)), fmt.Sprintf("%s has the option %s, which is no event", f.Name, option), "its options can be "+strings.Join(triggers, ", "))
		}
	}
}

// triggers are the events that webhooks are about.
var triggers = []string{"create", "update", "delete", "publish"}
