package rowtemplate_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/check"
	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/webhook/rowtemplate"
)

// article is a row as generated code has them, with a column of every kind.
type article struct {
	ID        articleID
	Title     string
	URL       string
	Body      store.Null[string]
	Status    status
	Mood      store.Null[status]
	Views     int64
	Rank      store.Null[int64]
	Price     store.Decimal
	Active    bool
	CreatedAt time.Time
	SentAt    store.Null[time.Time]
	Day       store.Date
	Tags      store.JSON
	Extra     store.Null[store.JSON]
	Settings  settings
	Blob      []byte
	Token     string
}

type (
	articleID int64
	status    string
	settings  struct {
		Color string `json:"color"`
		Key   string `json:"key"`
	}
)

// MarshalJSON masks a secret, as that of generated code does.
func (s settings) MarshalJSON() ([]byte, error) {
	type plain settings
	return core.MaskJSON(plain(s), "key")
}

var columns = []core.Column{
	{Name: "id", Rules: check.Rules{Kind: check.Int}},
	{Name: "title", Rules: check.Rules{Kind: check.Text}},
	{Name: "url", Rules: check.Rules{Kind: check.Text}},
	{Name: "body", Rules: check.Rules{Kind: check.Text}, Null: true},
	{Name: "status", Rules: check.Rules{Kind: check.Text, Options: []string{"draft", "published"}}},
	{Name: "mood", Rules: check.Rules{Kind: check.Text, Options: []string{"glad"}}, Null: true},
	{Name: "views", Rules: check.Rules{Kind: check.Int}},
	{Name: "rank", Rules: check.Rules{Kind: check.Int}, Null: true},
	{Name: "price", Rules: check.Rules{Kind: check.Decimal, Scale: 2}},
	{Name: "active", Rules: check.Rules{Kind: check.Bool}},
	{Name: "created_at", Rules: check.Rules{Kind: check.Time}},
	{Name: "sent_at", Rules: check.Rules{Kind: check.Time}, Null: true},
	{Name: "day", Rules: check.Rules{Kind: check.Date}},
	{Name: "tags", Rules: check.Rules{Kind: check.JSON}},
	{Name: "extra", Rules: check.Rules{Kind: check.JSON}, Null: true},
	{Name: "settings", Rules: check.Rules{Kind: check.JSON}},
	{Name: "blob", Rules: check.Rules{Kind: check.Bytes}},
	{Name: "token", Rules: check.Rules{Kind: check.Text, Secret: true}},
}

var articles = func() *rowtemplate.Row {
	row, err := rowtemplate.RowOf(new(article), columns)
	if err != nil {
		panic(err)
	}
	return row
}()

func full() *article {
	return &article{
		ID: 7, Title: `Tom & "Jerry"`, URL: "https://example.com/a?b=c&d", Body: store.Some("<p>Hi</p>"),
		Status: "published", Mood: store.Some(status("glad")), Views: -5, Rank: store.Some[int64](3),
		Price: decimal.RequireFromString("19.9"), Active: true,
		CreatedAt: time.Date(2026, 1, 2, 16, 4, 5, 600000000, time.FixedZone("", 3600)),
		SentAt:    store.Some(time.Date(2026, 1, 3, 0, 0, 0, 0, time.UTC)),
		Day:       store.Date{Year: 2026, Month: 2, Day: 3}, Tags: store.JSON(`["a", {"b": "<"}]`), Extra: store.Some(store.JSON(`{}`)),
		Settings: settings{Color: "red", Key: "hunter2"}, Blob: []byte{0, 255}, Token: "t0psecret",
	}
}

// compile compiles what must compile.
func compile(t testing.TB, kind rowtemplate.Kind, text string) *rowtemplate.Template {
	t.Helper()
	tmpl, err := rowtemplate.Compile(kind, text, articles, rowtemplate.Options{})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return tmpl
}

func render(t testing.TB, kind rowtemplate.Kind, text string, row *article) string {
	t.Helper()
	out, err := compile(t, kind, text).Execute(row)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	if kind == rowtemplate.JSON && !json.Valid(out) {
		t.Fatalf("%s made %s, which is no JSON", text, out)
	}
	return string(out)
}
