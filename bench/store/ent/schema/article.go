// Package schema is ent's definition of the article that the suite stores.
package schema

import (
	"encoding/json"
	"time"

	"entgo.io/ent"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Article is definitions/article.yaml as an ent schema.
type Article struct{ ent.Schema }

// Fields of the Article.
func (Article) Fields() []ent.Field {
	return []ent.Field{
		field.String("slug").MaxLen(100).NotEmpty().Unique(),
		field.String("title").MaxLen(200).NotEmpty(),
		field.Text("body").Optional().Nillable(),
		field.Enum("status").Values("draft", "published", "archived").Default("draft"),
		field.Int64("views").Default(0),
		field.Int64("score").Optional().Nillable(),
		field.Bool("featured").Default(false),
		field.String("contact").MaxLen(254).Optional().Nillable(),
		field.Time("published_at").Optional().Nillable(),
		field.Time("created_at").Default(time.Now),
		field.JSON("meta", json.RawMessage{}).Optional(),
	}
}

// Indexes of the Article.
func (Article) Indexes() []ent.Index {
	return []ent.Index{index.Fields("status", "created_at")}
}
