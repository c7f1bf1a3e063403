package condition_test

import (
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/hegner123/modulagen/runtime/event/condition"
	"github.com/hegner123/modulagen/runtime/store"
)

func full() *article {
	return &article{
		ID: 7, Title: "Hello", Status: "published", Mood: store.Some(status("glad")), Note: store.Some("note"),
		Views: 9007199254740993, Rank: store.Some[int64](3), Price: decimal.RequireFromString("0.1"),
		Cost: store.Some(decimal.RequireFromString("-999999999999999.999")), Live: true, Flag: store.Some(false),
		At:     time.Date(2026, 1, 2, 15, 4, 5, 123456789, time.UTC),
		SentAt: store.Some(time.Date(1969, 12, 31, 23, 59, 59, 999999000, time.UTC)),
		Day:    store.Date{Year: 2026, Month: 1, Day: 31}, Due: store.Some(store.Date{Year: 2026, Month: 2, Day: 1}),
		Meta: store.JSON(`{"a":1}`), Extra: store.Some(store.JSON(`null`)), Shape: shape{Width: 1},
		Blob: []byte{0}, Thumb: store.Some([]byte{}), Token: "t0p", Owner: store.Some(ownerID(5)), Outline: store.Some(shape{Width: 2}),
	}
}

// TestHolds has each operator on each kind, on a row that was created.
func TestHolds(t *testing.T) {
	for _, c := range []struct {
		cond string
		full bool // on the row above
		zero bool // on a row whose nullable columns are null
	}{
		{`{"field": "id", "eq": 7}`, true, false},
		{`{"field": "title", "eq": "Hello"}`, true, false},
		{`{"field": "title", "ne": "Hello"}`, false, true},
		{`{"field": "title", "gt": "Hell"}`, true, false},
		{`{"field": "title", "lt": "hello"}`, true, true},
		{`{"field": "title", "in": ["x", "Hello"]}`, true, false},
		{`{"field": "title", "in": ["x"]}`, false, false},
		{`{"field": "status", "eq": "published"}`, true, false},
		{`{"field": "mood", "eq": "glad"}`, true, false},
		{`{"field": "mood", "ne": "glad"}`, false, true},
		{`{"field": "mood", "in": ["sad"]}`, false, false},
		{`{"field": "mood", "eq": null}`, false, true},
		{`{"field": "mood", "ne": null}`, true, false},
		{`{"field": "mood", "exists": true}`, true, false},
		{`{"field": "mood", "exists": false}`, false, true},
		{`{"field": "note", "lte": "note"}`, true, false},
		{`{"field": "note", "gte": "nota"}`, true, false},
		{`{"field": "views", "eq": 9007199254740993}`, true, false},
		{`{"field": "views", "eq": 9007199254740992}`, false, false}, // equal in a float
		{`{"field": "views", "gt": 9007199254740992}`, true, false},
		{`{"field": "views", "lte": 9007199254740992}`, false, true},
		{`{"field": "rank", "gte": 3}`, true, false},
		{`{"field": "rank", "lt": 3}`, false, false},
		{`{"field": "rank", "ne": 4}`, true, true},
		{`{"field": "owner", "eq": 5}`, true, false},
		{`{"field": "owner", "exists": false}`, false, true},
		{`{"field": "price", "eq": 0.1}`, true, false},
		{`{"field": "price", "eq": "0.10"}`, true, false},
		{`{"field": "price", "eq": 1e-1}`, true, false},
		{`{"field": "price", "lt": 0.11}`, true, true},
		{`{"field": "price", "gt": -0.01}`, true, true},
		{`{"field": "cost", "eq": -999999999999999.999}`, true, false},
		{`{"field": "cost", "lt": -999999999999999.998}`, true, false},
		{`{"field": "cost", "ne": 1}`, true, true},
		{`{"field": "cost", "eq": null}`, false, true},
		{`{"field": "live", "eq": true}`, true, false},
		{`{"field": "live", "ne": true}`, false, true},
		{`{"field": "live", "in": [true, false]}`, true, true},
		{`{"field": "flag", "eq": false}`, true, false},
		{`{"field": "flag", "exists": true}`, true, false},
		{`{"field": "at", "eq": "2026-01-02T16:04:05.123456+01:00"}`, true, false},
		{`{"field": "at", "eq": "2026-01-02T15:04:05.123456999Z"}`, true, false}, // cut to microseconds
		{`{"field": "at", "lt": "2026-01-02T15:04:05.123457Z"}`, true, true},
		{`{"field": "at", "gte": "2026-01-02T15:04:05.123457Z"}`, false, false},
		{`{"field": "sent_at", "lt": "1970-01-01T00:00:00Z"}`, true, false},
		{`{"field": "sent_at", "eq": "1969-12-31T23:59:59.999999Z"}`, true, false},
		{`{"field": "sent_at", "exists": true}`, true, false},
		{`{"field": "day", "eq": "2026-01-31"}`, true, false},
		{`{"field": "day", "lt": "2026-02-01"}`, true, true},
		{`{"field": "due", "gt": "2026-01-31"}`, true, false},
		{`{"field": "due", "in": ["2026-02-01"]}`, true, false},
		{`{"field": "due", "exists": false}`, false, true},
		{`{"field": "meta", "exists": true}`, true, true},
		{`{"field": "extra", "exists": true}`, true, false}, // the document null is a value
		{`{"field": "shape", "ne": null}`, true, true},
		{`{"field": "outline", "exists": true}`, true, false},
		{`{"field": "blob", "exists": true}`, true, true},
		{`{"field": "thumb", "eq": null}`, false, true},

		{`{"field": "price", "gte": 0.1, "lt": 0.2}`, true, false},
		{`{"field": "price", "gte": 0.1, "lt": 0.1}`, false, false},
		{`{"all_of": [{"field": "id", "eq": 7}, {"field": "live", "eq": true}]}`, true, false},
		{`{"all_of": [{"field": "id", "eq": 7}, {"field": "live", "eq": false}]}`, false, false},
		{`{"any_of": [{"field": "id", "eq": 8}, {"field": "live", "eq": true}]}`, true, false},
		{`{"none_of": [{"field": "id", "eq": 7}, {"field": "live", "eq": false}]}`, false, false},
		{`{"none_of": [{"field": "id", "eq": 8}, {"field": "rank", "lt": 0}]}`, true, true},
		{`{"none_of": [{"none_of": [{"field": "mood", "eq": "glad"}]}]}`, true, false},
	} {
		cond, err := condition.Parse([]byte(c.cond), columns)
		if err != nil {
			t.Errorf("%s: %v", c.cond, err)
			continue
		}
		if got := cond.Holds(nil, row(full())); got != c.full {
			t.Errorf("%s on the full row: %v", c.cond, got)
		}
		if got := cond.Holds(nil, row(&article{})); got != c.zero {
			t.Errorf("%s on the empty row: %v", c.cond, got)
		}
	}
}

// TestSides has the table of the package's documentation.
func TestSides(t *testing.T) {
	old, now := full(), full()
	old.Status, old.Note, old.Rank = "draft", store.Null[string]{}, store.Some[int64](2)
	for _, c := range []struct {
		cond                   string
		create, update, delete bool // to published; from draft to published; of a draft
	}{
		{`{"field": "status", "eq": "published"}`, true, true, false},
		{`{"field": "status", "eq": "draft"}`, false, false, true},
		{`{"field": "after.status", "eq": "published"}`, true, true, false},
		{`{"field": "after.status", "eq": "draft"}`, false, false, false},
		{`{"field": "after.status", "exists": false}`, false, false, true},
		{`{"field": "before.status", "eq": "draft"}`, false, true, true},
		{`{"field": "before.status", "ne": "published"}`, true, true, true},
		{`{"field": "before.status", "exists": false}`, true, false, false},
		{`{"field": "before.status", "eq": null}`, true, false, false},
		{`{"field": "status", "changed": true}`, true, true, true},
		{`{"field": "status", "changed": true, "eq": "published"}`, true, true, false},
		{`{"field": "title", "changed": true}`, true, false, true},
		{`{"field": "title", "changed": false}`, false, true, false},
		{`{"field": "note", "changed": true}`, true, true, false}, // null before, so that no note is deleted
		{`{"field": "before.rank", "lt": 3}`, false, true, true},
		{`{"field": "rank", "gte": 3}`, true, true, false},
	} {
		cond, err := condition.Parse([]byte(c.cond), columns)
		if err != nil {
			t.Errorf("%s: %v", c.cond, err)
			continue
		}
		if got := cond.Holds(nil, row(now)); got != c.create {
			t.Errorf("%s on create: %v", c.cond, got)
		}
		if got := cond.Holds(row(old), row(now)); got != c.update {
			t.Errorf("%s on update: %v", c.cond, got)
		}
		if got := cond.Holds(row(old), nil); got != c.delete {
			t.Errorf("%s on delete: %v", c.cond, got)
		}
	}
}

// TestChanged changes one column of each kind after the other.
func TestChanged(t *testing.T) {
	for name, change := range map[string]func(*article){
		"id": func(a *article) { a.ID++ }, "title": func(a *article) { a.Title += " " },
		"status": func(a *article) { a.Status = "draft" }, "mood": func(a *article) { a.Mood.V = "sad" },
		"note": func(a *article) { a.Note.V = "" }, "views": func(a *article) { a.Views-- },
		"rank": func(a *article) { a.Rank.Valid = false }, "price": func(a *article) { a.Price = decimal.New(11, -2) },
		"cost": func(a *article) { a.Cost.V = decimal.New(1, 0) }, "live": func(a *article) { a.Live = false },
		"flag": func(a *article) { a.Flag.V = true }, "at": func(a *article) { a.At = a.At.Add(time.Microsecond) },
		"sent_at": func(a *article) { a.SentAt.V = a.At }, "day": func(a *article) { a.Day.Day-- },
		"due": func(a *article) { a.Due.V.Year++ }, "meta": func(a *article) { a.Meta = store.JSON(`{"a":2}`) },
		"extra": func(a *article) { a.Extra.V = store.JSON(`[]`) }, "shape": func(a *article) { a.Shape.Parts = map[string]int{"x": 1} },
		"blob": func(a *article) { a.Blob = []byte{1} }, "thumb": func(a *article) { a.Thumb.V = []byte{1} },
		"token": func(a *article) { a.Token = "other" }, "owner": func(a *article) { a.Owner.V++ },
		"outline": func(a *article) { a.Outline.V.Width++ },
	} {
		for _, c := range columns {
			cond, err := condition.Parse([]byte(`{"field": "`+c.Name+`", "changed": true}`), columns)
			if err != nil {
				t.Fatal(err)
			}
			before, after := full(), full()
			change(after)
			if got := cond.Holds(row(before), row(after)); got != (c.Name == name) {
				t.Errorf("%s was changed, and the condition on %s says %v", name, c.Name, got)
			}
		}
	}
}

// TestSameJSON has documents that a database returns in another form.
func TestSameJSON(t *testing.T) {
	cond, err := condition.Parse([]byte(`{"field": "meta", "changed": true}`), columns)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		before, after string
		changed       bool
	}{
		{`{"a":1,"b":[true,null]}`, `{ "b": [true, null], "a": 1 }`, false},
		{`1`, `1.0`, false},
		{`100`, `1e2`, false},
		{`9007199254740993`, `9007199254740992`, true},
		{`"A"`, `"\u0041"`, false},
		{`{"a":null}`, `{}`, true},
		{`{"a":1}`, `{"b":1}`, true},
		{`[1,2]`, `[2,1]`, true},
		{`[1]`, `[1,1]`, true},
		{`0`, `false`, true},
		{`null`, `""`, true},
		{`{`, `{`, false},
		{`{`, `{}`, true},
		{`{}`, `{`, true},
	} {
		before, after := full(), full()
		before.Meta, after.Meta = store.JSON(c.before), store.JSON(c.after)
		if got := cond.Holds(row(before), row(after)); got != c.changed {
			t.Errorf("from %s to %s: changed is %v", c.before, c.after, got)
		}
	}
}

// TestMistakes has what is refused, where, and the words that help.
func TestMistakes(t *testing.T) {
	many := strings.Repeat(`{"field": "id", "eq": 1},`, 101)
	deep := strings.Repeat(`{"all_of":[`, 9) + `{"field":"id","eq":1}` + strings.Repeat(`]}`, 9)
	for _, c := range []struct{ cond, at, want string }{
		{``, `$ (byte 0)`, "no condition at all"},
		{" \n", `$ (byte 0)`, "empty"},
		{`{}`, `$ (byte 0)`, "no term"},
		{`null`, `$ (byte 0)`, "is an object"},
		{`[]`, `$ (byte 0)`, `write {"all_of": [...]}`},
		{`true`, `$ (byte 0)`, "is an object"},
		{`{"field": "id", "eq": 1`, `$ (byte 22)`, "not JSON"},
		{`{"field": "id", "eq": 1} {}`, `$ (byte 25)`, "after top-level value"},
		{`{"field": "id", "eq": 01}`, `$ (byte 23)`, "not JSON"},
		{`{"field": "id", "eq": NaN}`, `$ (byte 22)`, "not JSON"},
		{"{\"field\": \"title\", \"eq\": \"\xff\"}", `$ (byte 26)`, "not UTF-8"},
		{strings.Repeat(" ", 16<<10) + "{}", `$ (byte 0)`, "at most 16384 bytes"},
		{strings.Repeat("[", 1000) + strings.Repeat("]", 1000), "(byte 20)", "more than 8 deep"},
		{deep, `$.all_of[0].all_of[0].all_of[0].all_of[0].all_of[0].all_of[0].all_of[0].all_of[0].all_of (byte 98)`, "more than 8 deep"},
		{`{"any_of": [` + strings.TrimSuffix(many, ",") + `]}`, `$.any_of[100].eq (byte 2534)`, "at most 100"},
		{`{"field": "id", "in": [` + strings.Repeat("1,", 101) + `1]}`, `$.in[99]`, "at most 100"},
		{`{"field": "id", "eq": 1, "eq": 2}`, `$.eq (byte 25)`, "stands twice"},
		{`{"field": "id", "\u0065q": 1, "eq": 2}`, `$.eq (byte 30)`, "stands twice"},
		{`{"all_of": [{"field":"id","eq":1}], "all_of": [{"field":"id","eq":1}]}`, `$.all_of (byte 36)`, "one group into the other"},

		{`{"eq": 1}`, `$ (byte 0)`, "has no field"},
		{`{"field": "id"}`, `$ (byte 0)`, "no operator; add one of eq, ne"},
		{`{"field": 5, "eq": 1}`, `$.field (byte 10)`, "name of a field"},
		{`{"field": "statsu", "eq": "draft"}`, `$.field (byte 10)`, `did you mean "status"?`},
		{`{"field": "before.statsu", "eq": "draft"}`, `$.field`, `did you mean "status"?`},
		{`{"field": "before.before.status", "eq": "draft"}`, `$.field`, "unknown field"},
		{`{"field": "zzzzzzzz", "eq": 1}`, `$.field`, "and 13 more"},
		{`{"field": "id", "equals": 1}`, `$.equals (byte 16)`, "unknown key"},
		{`{"field": "id", "gtt": 1}`, `$.gtt (byte 16)`, `did you mean "gt"?`},
		{`{"anyof": [{"field": "id", "eq": 1}]}`, `$.anyof`, `did you mean "any_of"?`},
		{`{"status": {"eq": "published"}}`, `$.status (byte 1)`, `write {"field": "status", "eq": ...}`},
		{`{"a b": 1}`, `$."a b" (byte 1)`, "unknown key"},
		{`{"all_of": [{"field": "id", "eq": 1}], "field": "id", "eq": 2}`, `$.field (byte 39)`, "nothing beside all_of"},
		{`{"all_of": {"field": "id", "eq": 1}}`, `$.all_of (byte 11)`, "a list of at least one"},
		{`{"none_of": []}`, `$.none_of (byte 12)`, "a list of at least one"},
		{`{"all_of": [{"field": "id", "eq": 1}, 5]}`, `$.all_of[1] (byte 38)`, "is an object"},

		{`{"field": "live", "lt": true}`, `$.lt (byte 18)`, "lt does not apply to live, which is a boolean; it has eq, ne, in, changed and exists"},
		{`{"field": "status", "gt": "draft"}`, `$.gt`, "which is a select"},
		{`{"field": "meta", "eq": {}}`, `$.eq`, "which is json; it has changed and exists"},
		{`{"field": "shape", "in": [1]}`, `$.in`, "which is json"},
		{`{"field": "blob", "eq": "AA=="}`, `$.eq`, "which is bytes"},
		{`{"field": "id", "eq": "7"}`, `$.eq (byte 22)`, `id is a number, not the text "7"; write a whole number without quotes`},
		{`{"field": "id", "eq": 7.0}`, `$.eq`, "in digits alone"},
		{`{"field": "id", "eq": 1e3}`, `$.eq`, "in digits alone"},
		{`{"field": "id", "eq": 9223372036854775808}`, `$.eq`, "64 bits"},
		{`{"field": "id", "eq": true}`, `$.eq`, "not true"},
		{`{"field": "id", "lt": null}`, `$.lt`, `"exists": false`},
		{`{"field": "id", "eq": [1]}`, `$.eq`, "not a list"},
		{`{"field": "id", "eq": {"a": 1}}`, `$.eq`, "not an object"},
		{`{"field": "id", "in": 1}`, `$.in`, "for one value there is eq"},
		{`{"field": "id", "in": []}`, `$.in`, "at least one"},
		{`{"field": "id", "in": [1, null]}`, `$.in[1] (byte 26)`, "null"},
		{`{"field": "id", "in": [1, "2"]}`, `$.in[1] (byte 26)`, "without quotes"},
		{`{"field": "price", "eq": 0.123}`, `$.eq`, "at most 2 digits behind the point"},
		{`{"field": "price", "eq": "abc"}`, `$.eq`, "such as 19.99"},
		{`{"field": "price", "eq": ""}`, `$.eq`, "such as 19.99"},
		{`{"field": "price", "eq": 1e999999999}`, `$.eq`, "such as 19.99"},
		{`{"field": "price", "eq": 12345678901234567.00}`, `$.eq`, "18 in all"},
		{`{"field": "live", "eq": "true"}`, `$.eq`, "without quotes"},
		{`{"field": "live", "eq": 1}`, `$.eq`, "true or false"},
		{`{"field": "at", "gt": "2026-01-02 15:04:05"}`, `$.gt`, "RFC 3339"},
		{`{"field": "at", "gt": "2026-01-02"}`, `$.gt`, "RFC 3339"},
		{`{"field": "at", "gt": 1767366245}`, `$.gt`, "RFC 3339"},
		{`{"field": "day", "eq": "2026-02-30"}`, `$.eq`, `such as "2026-01-02"`},
		{`{"field": "day", "eq": 20260102}`, `$.eq`, `such as "2026-01-02"`},
		{`{"field": "title", "eq": 5}`, `$.eq`, "write it in quotes"},
		{`{"field": "title", "eq": "a\u0000b"}`, `$.eq`, "NUL"},
		{`{"field": "status", "eq": "publishd"}`, `$.eq (byte 26)`, "its options are published, draft"},
		{`{"field": "status", "in": ["draft", ""]}`, `$.in[1]`, "its options are"},
		{`{"field": "status", "changed": 1}`, `$.changed`, "true or false"},
		{`{"field": "status", "exists": "yes"}`, `$.exists`, "true or false"},
		{`{"field": "before.status", "changed": true}`, `$.changed`, "without a side"},
		{`{"field": "token", "eq": "t0p"}`, `$.eq`, "token is secret"},
		{`{"field": "before.token", "gt": "a"}`, `$.gt`, "token is secret"},
		{`{"field": "token", "exists": true}`, `$.exists`, "token is secret"},
		{`{"field": "token", "eq": null}`, `$.eq`, "token is secret"},
		{`{"field": "token", "in": ["t0p"]}`, `$.in`, "token is secret"},
	} {
		cond, err := condition.Parse([]byte(c.cond), columns)
		if err == nil || cond != nil {
			t.Errorf("%.80s was taken", c.cond)
			continue
		}
		wrong, ok := errors.AsType[*condition.Error](err)
		if !ok || !errors.Is(err, store.ErrInvalid) {
			t.Errorf("%.80s: %T is no *Error that is ErrInvalid", c.cond, err)
			continue
		}
		text := wrong.Mistakes[0].String()
		if !strings.Contains(text, c.at) || !strings.Contains(text, c.want) {
			t.Errorf("%.80s:\n got  %s\n want %s ... %s", c.cond, text, c.at, c.want)
		}
	}
}

func TestAllMistakesAtOnce(t *testing.T) {
	_, err := condition.Parse([]byte(`{"all_of": [{"field": "statsu", "eq": "x", "foo": 1}, {"field": "id", "lt": "1", "gt": true}]}`), columns)
	wrong, ok := errors.AsType[*condition.Error](err)
	if !ok || len(wrong.Mistakes) != 4 {
		t.Fatalf("%v", err)
	}
	if !strings.HasPrefix(err.Error(), "condition: 4 mistakes:\n$.all_of[0].field (byte 22): ") {
		t.Error(err)
	}
	_, err = condition.Parse([]byte(`{"all_of": [`+strings.Repeat("1,", 1000)+`1]}`), columns)
	if wrong, ok := errors.AsType[*condition.Error](err); !ok || len(wrong.Mistakes) != 20 {
		t.Errorf("%v", err)
	}
}

// A hundred operators and eight groups within one another are taken.
func TestLimitsAreReached(t *testing.T) {
	many := `{"any_of": [` + strings.Repeat(`{"field": "id", "gt": 100},`, 99) + `{"field": "id", "eq": 7}]}`
	deep := strings.Repeat(`{"none_of":[`, 8) + `{"field":"id","in":[7]}` + strings.Repeat(`]}`, 8)
	for _, text := range []string{many, deep} {
		cond, err := condition.Parse([]byte(text), columns)
		if err != nil {
			t.Fatal(err)
		}
		if !cond.Holds(nil, row(full())) {
			t.Errorf("%.60s does not hold", text)
		}
	}
}

// What a program got wrong about a row counts as null; nothing panics.
func TestForeignPlaces(t *testing.T) {
	for _, c := range columns {
		for _, op := range []string{`"exists": true`, `"changed": true`, `"ne": 5`, `"ne": "draft"`, `"ne": true`, `"ne": "2026-01-02"`} {
			cond, err := condition.Parse([]byte(`{"field": "`+c.Name+`", `+op+`}`), columns)
			if err != nil {
				continue
			}
			for _, place := range []any{
				nil, "text", 5, new(int), (*int64)(nil), (*string)(nil), (*store.Null[string])(nil), (*store.Null[status])(nil),
				(*bool)(nil), (*time.Time)(nil), (*store.Date)(nil), (*[]byte)(nil), (*store.JSON)(nil), new(chan int),
				struct{}{},
				new(store.Null[chan int]),
				(*store.Null[[]byte])(nil), (*store.Null[store.JSON])(nil), (*store.Null[store.Date])(nil), (*store.Null[int64])(nil),
			} {
				bad := make(condition.Row, len(columns))
				for i := range bad {
					bad[i] = place
				}
				cond.Holds(bad, bad)
				cond.Holds(row(full()), bad)
				cond.Holds(bad, row(full()))
				cond.Holds(bad[:1], bad[:0])
				cond.Holds(nil, nil)
			}
		}
	}
}

// TestAllocations holds what Holds promises.
func TestAllocations(t *testing.T) {
	before, after := row(full()), row(full())
	for _, text := range append(benchmarks,
		`{"field": "mood", "changed": false, "in": ["glad", "sad"]}`, `{"field": "owner", "eq": 5}`, `{"field": "flag", "exists": true}`,
		`{"field": "due", "gt": "2026-01-01"}`, `{"field": "sent_at", "lt": "2026-01-01T00:00:00Z"}`, `{"field": "thumb", "exists": true}`,
		`{"field": "meta", "changed": false}`, `{"field": "blob", "changed": false}`) {
		cond, err := condition.Parse([]byte(text), columns)
		if err != nil {
			t.Fatal(err)
		}
		if n := testing.AllocsPerRun(100, func() { cond.Holds(before, after) }); n != 0 {
			t.Errorf("%s allocates %v times", text, n)
		}
	}
}

var benchmarks = []string{
	`{"field": "status", "changed": true, "eq": "published"}`,
	`{"all_of": [
		{"field": "status", "in": ["draft", "published"]},
		{"any_of": [{"field": "views", "lt": 10}, {"field": "before.note", "exists": false}, {"field": "at", "gte": "2026-01-01T00:00:00Z"}]},
		{"none_of": [{"field": "rank", "gt": 5}, {"field": "live", "ne": true}]}
	]}`,
}

func BenchmarkHolds(b *testing.B) {
	before, after := row(full()), row(full())
	for i, text := range append(benchmarks, `{"field": "price", "gte": 0.1}`) {
		cond, err := condition.Parse([]byte(text), columns)
		if err != nil {
			b.Fatal(err)
		}
		b.Run([]string{"became", "groups", "decimal"}[i]+"/"+strconv.Itoa(len(text)), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				cond.Holds(before, after)
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := condition.Parse([]byte(benchmarks[1]), columns); err != nil {
			b.Fatal(err)
		}
	}
}

// FuzzCondition looks for a text that makes Parse or Holds panic, or an offset that is
// not in the text.
func FuzzCondition(f *testing.F) {
	for _, text := range benchmarks {
		f.Add([]byte(text))
	}
	for _, c := range columns {
		f.Add([]byte(`{"none_of": [{"field": "` + c.Name + `", "eq": 5}, {"field": "before.` + c.Name + `", "ne": "draft", "in": [true]}]}`))
		f.Add([]byte(`{"field": "` + c.Name + `", "changed": true, "exists": false, "lte": "2026-01-02T15:04:05Z"}`))
	}
	f.Add([]byte(`[[[[[[[[[[[[[[[[[[[[[[`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		cond, err := condition.Parse(raw, columns)
		if err != nil {
			wrong, ok := errors.AsType[*condition.Error](err)
			if !ok || len(wrong.Mistakes) == 0 {
				t.Fatalf("%T: %v", err, err)
			}
			for _, m := range wrong.Mistakes {
				if m.Offset < 0 || m.Offset > len(raw) || m.Message == "" || !strings.HasPrefix(m.Path, "$") {
					t.Fatalf("%+v", m)
				}
			}
			return
		}
		rows := []condition.Row{nil, row(&article{}), row(full())}
		not, err := condition.Parse([]byte(`{"none_of": [`+string(raw)+`]}`), columns)
		for _, before := range rows {
			for _, after := range rows {
				holds := cond.Holds(before, after)
				if err == nil && not.Holds(before, after) == holds {
					t.Fatalf("a condition and its opposite are both %v", holds)
				}
			}
		}
	})
}
