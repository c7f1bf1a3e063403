package entschema

import (
	"encoding/json"
	"time"

	"entgo.io/ent"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
)

// FetchRequest is datatypes/fetch_requests.yaml.
type FetchRequest struct{ ent.Schema }

// Fields of the FetchRequest.
func (FetchRequest) Fields() []ent.Field {
	return []ent.Field{
		field.String("name").MaxLen(255).NotEmpty(),
		field.String("url").MaxLen(500).NotEmpty(),
		field.Enum("method").Values("GET", "POST", "PUT", "DELETE").Default("POST"),
		field.JSON("headers", json.RawMessage{}).Optional(),
		field.Text("body_template").Optional().Nillable(),
		field.Int64("timeout").Default(30),
		field.Int64("retry_count").Default(3),
		field.Bool("active").Default(true),
		field.Time("created_at").Default(time.Now),
	}
}

// Edges of the FetchRequest: ent wants both ends of a reference.
func (FetchRequest) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("route_webhooks", RouteWebhook.Type),
		edge.To("deliveries", WebhookDelivery.Type),
	}
}
