package entschema

import (
	"encoding/json"
	"time"

	"entgo.io/ent"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// JobQueue is datatypes/job_queue.yaml.
type JobQueue struct{ ent.Schema }

// Fields of the JobQueue. The epoch and the lease are what the queue section
// adds on our side; ent has no queue, so it generates the plain columns only.
func (JobQueue) Fields() []ent.Field {
	return []ent.Field{
		field.String("job_type").MaxLen(100).NotEmpty(),
		field.JSON("payload", json.RawMessage{}),
		field.Enum("status").Values("pending", "processing", "completed", "failed").Default("pending"),
		field.Int64("priority").Default(0),
		field.Int64("attempts").Default(0),
		field.Int64("max_attempts").Default(3),
		field.Time("scheduled_at").Optional().Nillable(),
		field.Time("started_at").Optional().Nillable(),
		field.Time("completed_at").Optional().Nillable(),
		field.Text("error").Optional().Nillable(),
		field.Time("created_at").Default(time.Now),
		field.Int64("epoch").Default(0),
		field.Time("lease_until").Optional().Nillable(),
	}
}

// Indexes of the JobQueue.
func (JobQueue) Indexes() []ent.Index {
	return []ent.Index{index.Fields("status", "priority")}
}
