package entschema

import (
	"time"

	"entgo.io/ent"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
)

// WebhookDelivery is datatypes/webhook_deliveries.yaml.
type WebhookDelivery struct{ ent.Schema }

// Fields of the WebhookDelivery.
func (WebhookDelivery) Fields() []ent.Field {
	return []ent.Field{
		field.Int("fetch_request_id"),
		field.Int64("route_id"),
		field.Int64("content_data_id").Optional().Nillable(),
		field.String("trigger_event").MaxLen(50).Optional().Nillable(),
		field.Text("request_body").Optional().Nillable(),
		field.Int64("response_status").Optional().Nillable(),
		field.Text("response_body").Optional().Nillable(),
		field.Text("error").Optional().Nillable(),
		field.Time("delivered_at").Default(time.Now),
	}
}

// Edges of the WebhookDelivery.
func (WebhookDelivery) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("fetch_request", FetchRequest.Type).Ref("deliveries").Field("fetch_request_id").Unique().Required(),
	}
}
