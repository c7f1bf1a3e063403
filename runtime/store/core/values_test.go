package core

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/check"
	"github.com/hegner123/modulagen/runtime/store/internal/filter"
)

func TestNumber(t *testing.T) {
	for text, scale := range map[string]int{"0": 2, "1": 0, "-1.5": 1, "0.05": 2, "-0.05": 2, "123456789012345678": 0, "-9.99999999999999999": 17} {
		d := decimal.RequireFromString(text)
		n, err := NumberOf(d, scale)
		if err != nil || !n.Decimal().Equal(d) || !decimal.RequireFromString(n.String()).Equal(d) {
			t.Errorf("%s: %v %v", text, n, err)
		}
	}
	for text, scale := range map[string]int{"0.001": 2, "1000000000000000000": 0, "1e5000": 2, "1e-5000": 2, "10000000000000000": 2} {
		if n, err := NumberOf(decimal.RequireFromString(text), scale); err == nil {
			t.Errorf("%s fits scale %d as %v", text, scale, n)
		}
	}
}

func TestULIDsGrow(t *testing.T) {
	var mu sync.Mutex
	var all []string
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			mine := make([]string, 1000)
			for i := range mine {
				mine[i] = NewULID()
			}
			if !slices.IsSorted(mine) {
				t.Error("ids of one goroutine do not grow")
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, mine...)
		})
	}
	wg.Wait()
	slices.Sort(all)
	if n := len(slices.Compact(all)); n != 8000 || len(all[0]) != 26 {
		t.Errorf("%d different ids", n)
	}
}

func TestPrefixEnd(t *testing.T) {
	for prefix, want := range map[string]string{"": "", "a": "b", "ab": "ac", "a\U0010FFFF": "b", "\U0010FFFF": "", "\uD7FF": "\uE000", "aé": "aê"} {
		if got := prefixEnd(prefix); got != want {
			t.Errorf("%q ends before %q, want %q", prefix, got, want)
		}
	}
}

func TestStatementsOfDDL(t *testing.T) {
	const value = "'it''s;\r\n-- \"x;\n\n  y \n'"
	got := Statements("-- a comment; it's one\nCREATE TABLE a (\n    x TEXT DEFAULT ';'\n);\n\nCREATE TABLE b (x TEXT DEFAULT " + value + ");\r\nCREATE INDEX a_x_idx ON a (x);\n")
	want := []string{"CREATE TABLE a (\n    x TEXT DEFAULT ';'\n)", "CREATE TABLE b (x TEXT DEFAULT " + value + ")", "CREATE INDEX a_x_idx ON a (x)"}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

func TestOpenRefusesUnknownSchemes(t *testing.T) {
	for dsn, want := range map[string]string{
		"app.db":               "a DSN starts with",
		"oracle://u:p4ss@h/d":  "a DSN starts with",
		"mysql://u:p4ss@h/d":   `import _ "github.com/hegner123/modulagen/runtime/store/mysql"`,
		"postgresql://u:p4ss@": `import _ "github.com/hegner123/modulagen/runtime/store/postgres"`,
	} {
		_, err := Open(t.Context(), dsn, nil, store.Options{})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "p4ss") {
			t.Errorf("%s: %v", dsn, err)
		}
	}
}

func FuzzCursor(f *testing.F) {
	cols := []Column{{Name: "id", Rules: kindOf(check.Int)}, {Name: "a", Rules: kindOf(check.Text), Null: true}, {Name: "b", Rules: kindOf(check.Date)}, {Name: "c", Rules: kindOf(check.Time), Null: true}}
	sort := []filter.Key{{Col: 1}, {Col: 2, Desc: true}, {Col: 3}, {Col: 0}}
	id, a, b, c := int64(-5), store.Some("ä"), store.Date{Year: 2024, Month: 2, Day: 29}, store.Null[time.Time]{}
	good, err := encodeCursor("t", cols, sort, []any{&id, &a, &b, &c})
	if err != nil {
		f.Fatal(err)
	}
	values, err := decodeCursor(good, "t", cols, sort)
	if err != nil || !slices.Equal(values, []any{"ä", b, nil, id}) {
		f.Fatalf("%v, %v", values, err)
	}
	f.Add(string(good))
	f.Add("")
	f.Fuzz(func(t *testing.T, s string) {
		values, err := decodeCursor(store.Cursor(s), "t", cols, sort)
		if err == nil && len(values) != len(sort) {
			t.Error("values are missing")
		}
	})
}

func kindOf(k check.Kind) check.Rules { return check.Rules{Kind: k} }
