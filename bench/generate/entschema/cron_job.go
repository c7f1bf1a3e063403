package entschema

import (
	"encoding/json"

	"entgo.io/ent"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// CronJob is datatypes/cron_job.yaml.
type CronJob struct{ ent.Schema }

// Fields of the CronJob.
func (CronJob) Fields() []ent.Field {
	return []ent.Field{
		field.String("name").MaxLen(255).NotEmpty().Unique(),
		field.Text("description").Optional().Nillable(),
		field.String("schedule").MaxLen(255).NotEmpty(),
		field.Enum("action_type").Values("predefined", "plugin", "http"),
		field.JSON("action_config", json.RawMessage{}).Optional(),
		field.Bool("enabled").Default(true),
		field.Time("last_run").Optional().Nillable(),
		field.Time("next_run").Optional().Nillable(),
		field.Int64("run_count").Default(0),
		field.Enum("last_status").Values("success", "error", "running").Optional().Nillable(),
	}
}

// Indexes of the CronJob.
func (CronJob) Indexes() []ent.Index {
	return []ent.Index{index.Fields("enabled", "next_run")}
}
