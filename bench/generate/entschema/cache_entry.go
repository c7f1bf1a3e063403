package entschema

import (
	"encoding/json"
	"time"

	"entgo.io/ent"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// CacheEntry is datatypes/cache_entry.yaml.
type CacheEntry struct{ ent.Schema }

// Fields of the CacheEntry.
func (CacheEntry) Fields() []ent.Field {
	return []ent.Field{
		field.String("key").MaxLen(255).NotEmpty().Unique(),
		field.JSON("value", json.RawMessage{}),
		field.Time("expires_at").Optional().Nillable(),
		field.Time("created_at").Default(time.Now),
		field.Int64("hit_count").Default(0),
		field.String("tags").Optional().Nillable(),
	}
}

// Indexes of the CacheEntry.
func (CacheEntry) Indexes() []ent.Index {
	return []ent.Index{index.Fields("expires_at")}
}
