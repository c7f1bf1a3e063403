package store

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/store/check"
	"github.com/shopspring/decimal"
)

func TestTimeText(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	last := ""
	for _, at := range []int64{0, 1, -1, 1709210096123456, -59000000000000000} {
		for range 200 {
			want := time.UnixMicro(at + r.Int64N(1e15)).UTC()
			text := FormatTime(want)
			got, err := ParseTime(text)
			if err != nil || !got.Equal(want) || got.Location() != time.UTC || len(text) != len(timeLayout) {
				t.Fatalf("%s became %q and %s (%v)", want, text, got, err)
			}
			if text != want.Format(timeLayout) {
				t.Fatalf("%q, not %q", text, want.Format(timeLayout))
			}
		}
	}
	for micro := range int64(3) {
		text := FormatTime(time.UnixMicro(999_999_999 + micro))
		if text <= last {
			t.Errorf("%q sorts before %q", text, last)
		}
		last = text
	}
	for text, want := range map[string]string{
		"2024-02-29 12:00:00":               "2024-02-29T12:00:00.000000Z",
		"2024-02-29T14:00:00.1234567+02:00": "2024-02-29T12:00:00.123456Z",
		"2024-02-29":                        "2024-02-29T00:00:00.000000Z",
	} {
		if got, err := ParseTime(text); err != nil || FormatTime(got) != want {
			t.Errorf("%q is %s, %v", text, got, err)
		}
	}
	for _, bad := range []string{"", "yesterday", "2023-02-29T00:00:00.000000Z", "2024-13-01T00:00:00.000000Z", "2024-01-01T24:00:00.000000Z"} {
		if got, err := ParseTime(bad); err == nil {
			t.Errorf("%q is taken for %s", bad, got)
		}
	}
}

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

func TestJSONOfOptAndNull(t *testing.T) {
	type patch struct {
		A Opt[int64]    `json:"a,omitzero"`
		B Opt[string]   `json:"b,omitzero"`
		C Opt[string]   `json:"c,omitzero"`
		D Null[int64]   `json:"d"`
		E Null[Date]    `json:"e"`
		F Opt[[]string] `json:"f,omitzero"`
	}
	const text = `{"a":1,"b":null,"d":null,"e":"2024-02-29"}`
	var p patch
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		t.Fatal(err)
	}
	if v, ok := p.A.Get(); !ok || v != 1 || !p.B.IsNull() || p.C.IsSet() || p.D.Valid || p.E.V.Day != 29 {
		t.Errorf("%+v", p)
	}
	if out, err := json.Marshal(p); err != nil || string(out) != text {
		t.Errorf("%s, %v", out, err)
	}
	if p.B.Or("x") != "x" || p.A.Or(5) != 1 || p.D.Or(7) != 7 || p.D.Ptr() != nil || *p.E.Ptr() != p.E.V {
		t.Error("Or or Ptr")
	}
}

func TestDate(t *testing.T) {
	for _, d := range []Date{{2023, 2, 29}, {0, 1, 1}, {2024, 13, 1}, {2024, 1, 0}, {10000, 1, 1}, {}} {
		if d.Valid() {
			t.Errorf("%s is taken for a day", d)
		}
	}
	a, b := Date{2024, 2, 29}, Date{2024, 3, 1}
	if !a.Valid() || a.Compare(b) >= 0 || b.Compare(a) <= 0 || a.Compare(a) != 0 || DateOf(a.Time()) != a {
		t.Errorf("%s and %s", a, b)
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
	got := Statements("-- a comment; with a semicolon\nCREATE TABLE a (\n    x TEXT DEFAULT ';'\n);\n\nCREATE INDEX a_x_idx ON a (x);\n")
	want := []string{"CREATE TABLE a (\n    x TEXT DEFAULT ';'\n)", "CREATE INDEX a_x_idx ON a (x)"}
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
		_, err := Open(t.Context(), dsn, nil, Options{})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "p4ss") {
			t.Errorf("%s: %v", dsn, err)
		}
	}
}

func FuzzCursor(f *testing.F) {
	cols := []Column{{Name: "id", Rules: kindOf(check.Int)}, {Name: "a", Rules: kindOf(check.Text), Null: true}, {Name: "b", Rules: kindOf(check.Date)}, {Name: "c", Rules: kindOf(check.Time), Null: true}}
	sort := []sortKey{{1, false}, {2, true}, {3, false}, {0, false}}
	id, a, b, c := int64(-5), Some("ä"), Date{2024, 2, 29}, Null[time.Time]{}
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
		values, err := decodeCursor(Cursor(s), "t", cols, sort)
		if err == nil && len(values) != len(sort) {
			t.Error("values are missing")
		}
	})
}

func kindOf(k check.Kind) check.Rules { return check.Rules{Kind: k} }
