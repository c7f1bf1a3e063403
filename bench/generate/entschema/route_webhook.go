package entschema

import (
	"encoding/json"

	"entgo.io/ent"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// RouteWebhook is datatypes/route_webhooks.yaml.
type RouteWebhook struct{ ent.Schema }

// Fields of the RouteWebhook.
func (RouteWebhook) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("route_id"),
		field.Int("fetch_request_id"),
		field.Enum("trigger_event").Values("create", "update", "delete", "publish"),
		field.JSON("condition_json", json.RawMessage{}).Optional(),
	}
}

// Edges of the RouteWebhook.
func (RouteWebhook) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("fetch_request", FetchRequest.Type).Ref("route_webhooks").Field("fetch_request_id").Unique().Required(),
	}
}

// Indexes of the RouteWebhook.
func (RouteWebhook) Indexes() []ent.Index {
	return []ent.Index{index.Fields("route_id", "trigger_event")}
}
