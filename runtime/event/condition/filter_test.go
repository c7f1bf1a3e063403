package condition_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/hegner123/modulagen/runtime/event/condition"
	"github.com/hegner123/modulagen/runtime/store"
	_ "github.com/hegner123/modulagen/runtime/store/mysql"
	_ "github.com/hegner123/modulagen/runtime/store/postgres"
	_ "github.com/hegner123/modulagen/runtime/store/sqlite"
	"github.com/hegner123/modulagen/runtime/store/storetest"
)

// filterStart is where random datetimes begin.
var filterStart = time.Date(2026, 1, 2, 3, 4, 5, 678_901_000, time.UTC)

// TestFilter holds that a filter keeps the rows for which the condition holds, on every database.
func TestFilter(t *testing.T) {
	for _, kind := range []string{"sqlite", "postgres", "mysql"} {
		t.Run(kind, func(t *testing.T) {
			dsn := "sqlite::memory:"
			if kind != "sqlite" {
				dsn = storetest.FreshDSN(t, kind)
			}
			seed := rand.Uint64()
			t.Logf("seed %d", seed)
			r := rand.New(rand.NewPCG(seed, 0))
			db := storetest.Open(t, dsn, store.Options{})
			var rows []*storetest.Article
			for i := range 40 {
				row, err := db.Article.Create(t.Context(), randomArticle(r, i))
				if err != nil {
					t.Fatal(err)
				}
				rows = append(rows, row)
			}
			spec := storetest.ArticleSpec()
			for range 300 {
				text, err := json.Marshal(randomCondition(r, 2))
				if err != nil {
					t.Fatal(err)
				}
				c, err := condition.Parse(text, spec.Columns)
				if err != nil {
					t.Fatalf("%s: %v", text, err)
				}
				cond, err := c.Filter(spec.Columns)
				if err != nil {
					t.Fatalf("%s: %v", text, err)
				}
				var want, got []storetest.ArticleID
				for _, row := range rows {
					if places := spec.Fields(row, nil); c.Holds(places, places) {
						want = append(want, row.ID)
					}
				}
				where := store.Cond[storetest.ArticleID]{Filter: cond.Filter}
				for row, err := range db.Article.All(t.Context(), store.Query[storetest.ArticleID]{Where: where}) {
					if err != nil {
						t.Fatalf("%s: %v", text, err)
					}
					got = append(got, row.ID)
				}
				if !slices.Equal(got, want) {
					t.Fatalf("seed %d: %s keeps %v, and holds for %v", seed, text, got, want)
				}
			}
		})
	}
}

func maybe[T any](r *rand.Rand, v T) store.Opt[T] {
	if r.IntN(3) == 0 {
		return store.SetNull[T]()
	}
	return store.Set(v)
}

func randomArticle(r *rand.Rand, i int) storetest.ArticleNew {
	status := func() storetest.ArticleStatus { return []storetest.ArticleStatus{"draft", "published"}[r.IntN(2)] }
	return storetest.ArticleNew{
		Slug: fmt.Sprint("s", i), Title: randomText(r), Body: maybe(r, randomText(r)), Status: store.Set(status()), Mood: maybe(r, status()),
		Views: store.Set(r.Int64N(4)), Rank: maybe(r, r.Int64N(4)-2), Price: store.Set(decimal.New(r.Int64N(5), -1)), Discount: maybe(r, decimal.New(r.Int64N(5), -2)),
		Public: store.Set(r.IntN(2) == 0), Pinned: maybe(r, r.IntN(2) == 0), CreatedAt: store.Set(randomTime(r)), EndsAt: maybe(r, randomTime(r)),
		Day: store.Set(store.DateOf(randomTime(r))), Until: maybe(r, store.DateOf(randomTime(r))),
	}
}

func randomText(r *rand.Rand) string {
	return []string{"aa", "Aa", "ab", "äb", "日本", "a\U0001F600", "zz"}[r.IntN(7)]
}

func randomTime(r *rand.Rand) time.Time {
	return filterStart.Add(time.Duration(r.IntN(4)) * 24 * time.Hour).Add(time.Duration(r.IntN(2)) * time.Microsecond)
}

// randomCondition makes a group, or a term of one or two operators.
func randomCondition(r *rand.Rand, depth int) map[string]any {
	if depth > 0 && r.IntN(2) == 0 {
		var kids []any
		for range 1 + r.IntN(3) {
			kids = append(kids, randomCondition(r, depth-1))
		}
		return map[string]any{[]string{"all_of", "any_of", "none_of"}[r.IntN(3)]: kids}
	}
	fields := []struct {
		name    string
		ordered bool
		value   func() any
	}{
		{"title", true, func() any { return randomText(r) }},
		{"body", true, func() any { return randomText(r) }},
		{"status", false, func() any { return []string{"draft", "published"}[r.IntN(2)] }},
		{"mood", false, func() any { return []string{"draft", "published"}[r.IntN(2)] }},
		{"views", true, func() any { return r.IntN(4) }},
		{"rank", true, func() any { return r.IntN(4) - 2 }},
		{"price", true, func() any { return decimal.New(r.Int64N(5), -1).String() }},
		{"discount", true, func() any { return decimal.New(r.Int64N(5), -2).String() }},
		{"public", false, func() any { return r.IntN(2) == 0 }},
		{"pinned", false, func() any { return r.IntN(2) == 0 }},
		{"created_at", true, func() any { return randomTime(r).Format(time.RFC3339Nano) }},
		{"ends_at", true, func() any { return randomTime(r).Format(time.RFC3339Nano) }},
		{"day", true, func() any { return store.DateOf(randomTime(r)).String() }},
		{"until", true, func() any { return store.DateOf(randomTime(r)).String() }},
	}
	f := fields[r.IntN(len(fields))]
	term := map[string]any{"field": f.name}
	operators := []string{"eq", "ne", "in", "exists", "null"}
	if f.ordered {
		operators = append(operators, "lt", "lte", "gt", "gte")
	}
	for range 1 + r.IntN(2) {
		switch o := operators[r.IntN(len(operators))]; o {
		case "in":
			term[o] = []any{f.value(), f.value()}
		case "exists":
			term[o] = r.IntN(2) == 0
		case "null":
			term[[]string{"eq", "ne"}[r.IntN(2)]] = nil
		default:
			term[o] = f.value()
		}
	}
	return term
}

// TestFilterOfChanges refuses what only a change can answer.
func TestFilterOfChanges(t *testing.T) {
	for _, text := range []string{`{"field": "title", "changed": true}`, `{"field": "before.title", "eq": "x"}`, `{"any_of": [{"field": "after.title", "eq": "x"}]}`} {
		c, err := condition.Parse([]byte(text), columns)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Filter(columns); !errors.Is(err, store.ErrInvalid) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
