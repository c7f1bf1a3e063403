package storetest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

func dec(s string) store.Decimal { return decimal.RequireFromString(s) }

var noon = time.Date(2024, 2, 29, 12, 34, 56, 123456000, time.UTC)

// full gives every column a value of its own.
func full(slug string) ArticleNew {
	return ArticleNew{
		Slug:      slug,
		Title:     "Grüße, 世界 🎉 'quoted' \"twice\" \\ back",
		Body:      store.Set("line\nline\ttab % _ | ; -- /* */ $1 ? :x"),
		Status:    store.Set(ArticleStatusPublished),
		Mood:      store.Set(ArticleStatusDraft),
		Views:     store.Int(42),
		Rank:      store.Int(-7),
		Price:     store.Set(dec("19.9")),
		Discount:  store.Set(dec("-0.0001")),
		Public:    store.Set(false),
		Pinned:    store.Set(true),
		CreatedAt: store.Set(noon),
		EndsAt:    store.Set(noon.Add(time.Hour)),
		Day:       store.Set(store.Date{Year: 2024, Month: 2, Day: 29}),
		Until:     store.Set(store.Date{Year: 9999, Month: 12, Day: 31}),
		Data:      store.Set(store.JSON(`{"a": [1, 2.5, null, "é\n"]}`)),
		Raw:       store.Set(store.JSON(`"text"`)),
		Meta:      store.Set(Meta{Tags: []string{"x", "y"}, Extra: map[string]string{"k": "v"}}),
		More:      store.Set(Meta{Tags: []string{}}),
		Cover:     store.Set([]byte{0, 1, 2, 255}),
		Thumb:     store.Set([]byte{}),
		Token:     store.Set("s3cret"),
		Order:     store.Int(1),
	}
}

func mustCreate(t *testing.T, db *DB, n ArticleNew) *Article {
	t.Helper()
	a, err := db.Article.Create(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// wantSame compares rows, JSON by its meaning and decimals by their text.
func wantSame(t *testing.T, want, got *Article) {
	t.Helper()
	w, g := show(t, want), show(t, got)
	if w != g {
		t.Errorf("rows differ:\nwant %s\ngot  %s", w, g)
	}
}

func show(t *testing.T, a *Article) string {
	t.Helper()
	c := *a
	c.Data = canonical(t, c.Data)
	if c.Raw.Valid {
		c.Raw.V = canonical(t, c.Raw.V)
	}
	var b strings.Builder
	v := reflect.ValueOf(c)
	for i := range v.NumField() {
		fmt.Fprintf(&b, "\n  %s: %#v", v.Type().Field(i).Name, plainly(v.Field(i).Interface()))
	}
	return b.String()
}

func plainly(v any) any {
	switch x := v.(type) {
	case store.Decimal:
		return x.String()
	case store.Null[store.Decimal]:
		return fmt.Sprint(x.Valid, x.V)
	}
	return v
}

func canonical(t *testing.T, doc store.JSON) store.JSON {
	t.Helper()
	var v any
	if err := json.Unmarshal(doc, &v); err != nil {
		t.Fatalf("%s: %v", doc, err)
	}
	out, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func testRoundTrip(t *testing.T, db *DB) {
	a := mustCreate(t, db, full("one"))
	if a.ID == 0 {
		t.Fatal("no id")
	}
	if got := a.Price.String(); got != "19.9" || a.Price.Exponent() != -2 {
		t.Errorf("price is %s with exponent %d, not brought to scale", got, a.Price.Exponent())
	}
	b, err := db.Article.Get(t.Context(), a.ID)
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, a, b)
	if !bytes.Equal(b.Cover, []byte{0, 1, 2, 255}) || !b.Thumb.Valid || len(b.Thumb.V) != 0 {
		t.Errorf("bytes: %v %v", b.Cover, b.Thumb)
	}
	c, err := db.Article.GetUnique(t.Context(), 0, "one")
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, a, c)
}

func testDefaults(t *testing.T, db *DB) {
	before := core.Moment(time.Now())
	a := mustCreate(t, db, ArticleNew{Slug: "bare", Title: "Bare"})
	if a.Status != ArticleStatusDraft || !a.Public || a.CreatedAt.Before(before) || a.CreatedAt.Location() != time.UTC {
		t.Errorf("defaults: %+v", a)
	}
	b, err := db.Article.Get(t.Context(), a.ID)
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, a, b)
	if b.Body.Valid || b.Raw.Valid || b.More.Valid || b.Thumb.Valid || b.Author.Valid || b.Until.Valid || b.Discount.Valid {
		t.Errorf("what was not given is not NULL: %+v", b)
	}
	if b.Cover == nil || len(b.Cover) != 0 {
		t.Errorf("empty bytes came back as %#v", b.Cover)
	}
}

// testExtremes writes the ends of each type's range.
func testExtremes(t *testing.T, db *DB) {
	zone := time.FixedZone("", 5*3600+1800)
	cases := map[string]func(*ArticleNew){
		"greatest": func(n *ArticleNew) {
			n.Views, n.Rank = store.Int(math.MaxInt64), store.Int(math.MaxInt64)
			n.Price, n.Discount = store.Set(dec("9999999999999999.99")), store.Set(dec("99999999999999.9999"))
			n.CreatedAt = store.Set(time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC))
			n.Day = store.Set(store.Date{Year: 9999, Month: 12, Day: 31})
		},
		"least": func(n *ArticleNew) {
			n.Rank = store.Int(math.MinInt64)
			n.Price, n.Discount = store.Set(dec("-9999999999999999.99")), store.Set(dec("-99999999999999.9999"))
			n.CreatedAt = store.Set(time.Date(1000, 1, 1, 0, 0, 0, 0, time.UTC))
			n.Day = store.Set(store.Date{Year: 1000, Month: 1, Day: 1})
		},
		"zoned":  func(n *ArticleNew) { n.CreatedAt = store.Set(time.Date(2024, 3, 31, 2, 30, 0, 1999, zone)) },
		"before": func(n *ArticleNew) { n.CreatedAt = store.Set(time.Date(1969, 12, 31, 23, 59, 59, 999999000, time.UTC)) },
		"empty":  func(n *ArticleNew) { n.Body, n.Raw = store.Set(""), store.Set(store.JSON("null")) },
		"spaces": func(n *ArticleNew) { n.Body, n.Title = store.Set("  a  "), " b " },
		"zero":   func(n *ArticleNew) { n.Price, n.Discount = store.Set(dec("-0.00")), store.Set(dec("0")) },
		"deep":   func(n *ArticleNew) { n.Data = store.Set(store.JSON(strings.Repeat("[", 30) + strings.Repeat("]", 30))) },
	}
	for name, change := range cases {
		t.Run(name, func(t *testing.T) {
			n := full(name)
			change(&n)
			a := mustCreate(t, db, n)
			b, err := db.Article.Get(t.Context(), a.ID)
			if err != nil {
				t.Fatal(err)
			}
			wantSame(t, a, b)
		})
	}
}

func testLargeValues(t *testing.T, db *DB) {
	n := full("large")
	n.Body = store.Set(strings.Repeat("ä", 500_000))
	n.Data = store.Set(store.JSON(`{"s":"` + strings.Repeat("x", 2_000_000) + `"}`))
	n.Cover = store.Set(bytes.Repeat([]byte{0, 255}, 1_000_000))
	a := mustCreate(t, db, n)
	b, err := db.Article.Get(t.Context(), a.ID)
	if err != nil {
		t.Fatal(err)
	}
	if a.Body != b.Body || !bytes.Equal(canonical(t, a.Data), canonical(t, b.Data)) || !bytes.Equal(a.Cover, b.Cover) {
		t.Error("a large value came back changed")
	}
	c := mustCreate(t, db, full("small")) // the connection works on after it
	if _, err := db.Article.Get(t.Context(), c.ID); err != nil {
		t.Error(err)
	}
}
