package entschema

import (
	"time"

	"entgo.io/ent"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// EmailQueue is datatypes/email_queue.yaml.
type EmailQueue struct{ ent.Schema }

// Fields of the EmailQueue.
func (EmailQueue) Fields() []ent.Field {
	return []ent.Field{
		field.String("to").MaxLen(254).NotEmpty(),
		field.String("from").MaxLen(254).NotEmpty(),
		field.String("subject").MaxLen(998).NotEmpty(),
		field.Text("body_html").Optional().Nillable(),
		field.Text("body_plain").Optional().Nillable(),
		field.Enum("status").Values("pending", "sending", "sent", "failed").Default("pending"),
		field.Int64("attempts").Default(0),
		field.Time("last_attempt").Optional().Nillable(),
		field.Text("error").Optional().Nillable(),
		field.Time("send_at").Default(time.Now),
		field.Time("sent_at").Optional().Nillable(),
	}
}

// Indexes of the EmailQueue.
func (EmailQueue) Indexes() []ent.Index {
	return []ent.Index{index.Fields("status", "send_at")}
}
