package condition_test

import (
	"time"

	"github.com/hegner123/modulagen/runtime/event/condition"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/check"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// article is a row as generated code has them, with a column of every kind.
type article struct {
	ID      int64
	Title   string
	Status  status
	Mood    store.Null[status]
	Note    store.Null[string]
	Views   int64
	Rank    store.Null[int64]
	Price   store.Decimal
	Cost    store.Null[store.Decimal]
	Live    bool
	Flag    store.Null[bool]
	At      time.Time
	SentAt  store.Null[time.Time]
	Day     store.Date
	Due     store.Null[store.Date]
	Meta    store.JSON
	Extra   store.Null[store.JSON]
	Shape   shape
	Blob    []byte
	Thumb   store.Null[[]byte]
	Token   string
	Owner   store.Null[ownerID]
	Outline store.Null[shape]
}

type (
	status  string
	ownerID int64
	shape   struct {
		Width int            `json:"width"`
		Parts map[string]int `json:"parts"`
	}
)

var columns = []core.Column{
	{Name: "id", Rules: check.Rules{Kind: check.Int}},
	{Name: "title", Rules: check.Rules{Kind: check.Text}},
	{Name: "status", Rules: check.Rules{Kind: check.Text, Options: []string{"draft", "published"}}},
	{Name: "mood", Rules: check.Rules{Kind: check.Text, Options: []string{"glad", "sad"}}, Null: true},
	{Name: "note", Rules: check.Rules{Kind: check.Text}, Null: true},
	{Name: "views", Rules: check.Rules{Kind: check.Int}},
	{Name: "rank", Rules: check.Rules{Kind: check.Int}, Null: true},
	{Name: "price", Rules: check.Rules{Kind: check.Decimal, Scale: 2}},
	{Name: "cost", Rules: check.Rules{Kind: check.Decimal, Scale: 3}, Null: true},
	{Name: "live", Rules: check.Rules{Kind: check.Bool}},
	{Name: "flag", Rules: check.Rules{Kind: check.Bool}, Null: true},
	{Name: "at", Rules: check.Rules{Kind: check.Time}},
	{Name: "sent_at", Rules: check.Rules{Kind: check.Time}, Null: true},
	{Name: "day", Rules: check.Rules{Kind: check.Date}},
	{Name: "due", Rules: check.Rules{Kind: check.Date}, Null: true},
	{Name: "meta", Rules: check.Rules{Kind: check.JSON}},
	{Name: "extra", Rules: check.Rules{Kind: check.JSON}, Null: true},
	{Name: "shape", Rules: check.Rules{Kind: check.JSON}},
	{Name: "blob", Rules: check.Rules{Kind: check.Bytes}},
	{Name: "thumb", Rules: check.Rules{Kind: check.Bytes}, Null: true},
	{Name: "token", Rules: check.Rules{Kind: check.Text, Secret: true}},
	{Name: "owner", Rules: check.Rules{Kind: check.Int}, Null: true},
	{Name: "outline", Rules: check.Rules{Kind: check.JSON}, Null: true},
}

func fields(r *article, buf []any) []any {
	return append(buf,
		&r.ID, &r.Title, (*string)(&r.Status), &r.Mood, &r.Note, &r.Views, &r.Rank,
		core.DecimalField(&r.Price, 2), core.NullDecimalField(&r.Cost, 3),
		&r.Live, &r.Flag, &r.At, &r.SentAt, &r.Day, &r.Due,
		&r.Meta, &r.Extra, core.JSONField(&r.Shape), &r.Blob, &r.Thumb, &r.Token, &r.Owner,
		core.NullJSONField(&r.Outline))
}

// row is what an effect makes of a row.
func row(r *article) condition.Row {
	if r == nil {
		return nil
	}
	return fields(r, nil)
}
