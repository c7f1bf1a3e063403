package evolution_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hegner123/modulagen/gen/dialect/statement"
	"github.com/hegner123/modulagen/gen/fieldtype"
	"github.com/hegner123/modulagen/gen/migrate"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/check"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// memberChange is a change of one member, m, of a JSON object.
type memberChange struct {
	what          string
	from, to      string   // its types
	before, after string   // further keys
	docs          []string // what m holds in documents, as JSON
}

// memberValues are what programs write of a member of each type, and what people may have.
var memberValues = map[string][]string{
	"text":     {`""`, `"x"`, `"12.5"`, `"2026-01-02"`, `"it's \"é\" 😀 \\"`, `"` + strings.Repeat("é", 255) + `"`},
	"textarea": {`""`, `"x"`, `"` + strings.Repeat("é", 201) + `"`, `"` + strings.Repeat("é", 256) + `"`},
	"richtext": {`"<b>x</b>"`, `"` + strings.Repeat("x", 65_536) + `"`},
	"email":    {`"a@example.com"`},
	"url":      {`"https://example.com/` + strings.Repeat("x", 300) + `"`},
	"slug":     {`"a-b"`},
	"select":   {`"a"`, `"b"`},
	"number":   {"0", "-7", "9007199254740992", "9007199254740993", "-9007199254740993", "9223372036854775807", "-9223372036854775808", "9999999999999999", "10000000000000000"},
	"float":    {"0", "3", "1.5", "-0.5", "0.1", "1e+21", "9007199254740992", "9223372036854774784", "9223372036854775808", "1.7976931348623157e+308"},
	"decimal":  {`"0"`, `"19.99"`, `"-3.1"`, `"9999999999999999.99"`, `12`, `1.25`},
	"boolean":  {"true", "false"},
	"date":     {`"2026-01-02"`, `"9999-12-31"`},
	"datetime": {`"2026-01-02T15:04:05Z"`, `"1000-01-01T00:00:00.000001Z"`},
	"json":     {"{}", `[1,{"m":true}]`, `"x"`, "1.5", "true", `"2026-01-02"`},
	"bytes":    {`"AAEC"`, `""`},
}

// readMember are what generated code reads documents with, by the type of a member that need not be there.
var readMember = map[string]func(doc string) error{
	"number": reads[int64], "float": reads[float64], "decimal": reads[store.Decimal], "boolean": reads[bool], "date": reads[store.Date], "datetime": reads[time.Time],
	"json": reads[store.JSON], "bytes": reads[[]byte],
}

func reads[T any](doc string) error {
	var v struct {
		M store.Null[T] `json:"m,omitzero"`
	}
	return core.JSONField(&v).Scan(doc)
}

// changesOfMembers are all changes from one type to another, and those of other keys.
func changesOfMembers() (out []memberChange) {
	keys := map[string]string{"select": "options: [a, b]"}
	for from := range memberValues {
		for to := range memberValues {
			out = append(out, memberChange{from + " to " + to, from, to, keys[from], keys[to], memberValues[from]})
		}
	}
	texts, numbers := []string{`""`, `"ab"`, `"abc"`, `"äöü"`, `"abcd"`, "null"}, []string{"-3", "0", "5", "6", "12", "null"}
	decimals := []string{`"0"`, `"0.10"`, `"0.123"`, `"-0.1200"`, `"9999999999999999.99"`, `"999999999999999.9"`, `"1000000000000000"`, "1.5", "1.125"}
	return append(
		out,
		memberChange{"required", "text", "text", "", "required: true", texts},
		memberChange{"required too", "number", "number", "", "required: true", numbers},
		memberChange{"required no more", "text", "text", "required: true", "", texts},
		memberChange{"lower max", "text", "text", "max: 4", "max: 3", texts},
		memberChange{"longer max", "text", "text", "max: 4", "max: 5", texts},
		memberChange{"higher min", "text", "text", "", "min: 3", texts},
		memberChange{"lower max of a number", "number", "number", "max: 20", "max: 5", numbers},
		memberChange{"higher min of a number", "number", "number", "min: -9", "min: 0", numbers},
		memberChange{"limits of a float", "float", "float", "", "min: 0, max: 5.5", []string{"-0.5", "0", "5.5", "5.75", "1e+300", "null"}},
		memberChange{"limits of a decimal", "decimal", "decimal", "", "min: 0, max: 5.5", []string{`"-0.5"`, `"0"`, `"5.5"`, `"5.51"`, "6", "null"}},
		memberChange{"limits and type", "number", "decimal", "", "min: 0, max: 5.5", numbers},
		memberChange{"scale down", "decimal", "decimal", "scale: 4", "scale: 2", decimals},
		memberChange{"scale up", "decimal", "decimal", "scale: 2", "scale: 3", decimals[:len(decimals)-1]},
		memberChange{"options", "select", "select", "options: [a, b]", "options: [b, c]", []string{`"a"`, `"b"`, `"c"`, `"B"`, `"b "`, "null"}},
		memberChange{"more options", "select", "select", "options: [a, b]", "options: [b, c, a]", []string{`"a"`, `"b"`}},
		memberChange{"odd options", "select", "select", "options: [a, " + oddOption + "]", "options: [" + oddOption + "]", []string{`"a"`, strings.ReplaceAll(odd, "␍", `\u240d`)}},
	)
}

// definition is the datatype of a change, before or after it.
func (c memberChange) definition(table, typ, more string) string {
	if more != "" {
		more = ", " + more
	}
	return fmt.Sprintf("name: %s\nfields:\n  - {name: doc, type: json, fields: [{name: m, type: %s%s}, {name: other, type: text}]}\n", table, typ, more)
}

// documents are those of a change, and such as lack the member.
func (c memberChange) documents() []string {
	out := []string{`{}`, `{"other":"x"}`, `{"m":null}`}
	for _, m := range c.docs {
		out = append(out, `{"m":`+m+`}`)
	}
	return out
}

// TestChangedMembers compares what a migration refuses of documents with what generated code reads of them, and would
// write again: all that a program of now could not read, or not write as it is, is a mistake or found in rows, and nothing else.
func TestChangedMembers(t *testing.T) {
	var allowed []memberChange
	var before, after []string
	for _, c := range changesOfMembers() {
		table := fmt.Sprintf("t%d", len(allowed))
		was, now := of(c.definition(table, c.from, c.before)).must(t), of(c.definition(table, c.to, c.after)).must(t)
		_, wrong := begin(t, was).add(t, now)
		if len(wrong) == 0 {
			allowed = append(allowed, c)
			before, after = append(before, c.definition(table, c.from, c.before)), append(after, c.definition(table, c.to, c.after))
			continue
		}
		rules := field(now.datatype(table), "doc").Rules
		if c.from == "bytes" && c.readable(`{"m":"AAEC"}`) == nil {
			continue // base64 would be taken for the text itself
		}
		if !slices.ContainsFunc(c.documents(), func(doc string) bool { return !c.fits(rules, doc) }) {
			t.Errorf("%s: every document fits, and it is a mistake: %v", c.what, wrong)
		}
	}
	was, now := of(before...).must(t), of(after...).must(t)
	h := begin(t, was)
	next, wrong := h.add(t, now)
	if len(wrong) > 0 {
		t.Fatal(wrong)
	}
	onEach(t, func(t *testing.T, s *server) {
		expectRefused(t, s, was, next[0], allowed, func(table string, c memberChange, doc string) bool {
			return c.fits(field(now.datatype(table), "doc").Rules, doc)
		})
	})
}

// expectRefused fills a table for each change, and compares the rows that the migration refuses with the documents that do not fit.
func expectRefused(t *testing.T, s *server, was *version, m *migrate.Migration, changes []memberChange, fits func(table string, c memberChange, doc string) bool) {
	t.Helper()
	c := open(t, s.fresh(t), was.schema()).Conn()
	w := statement.Writer{Dialect: c.Dialect()}
	for i, change := range changes {
		values := []string{"(NULL)"}
		for _, doc := range change.documents() {
			values = append(values, "("+w.QuoteText(doc)+")")
		}
		exec(t, c, fmt.Sprintf("INSERT INTO t%d (doc) VALUES %s", i, strings.Join(values, ", ")))
	}
	script, err := m.Script("migrations", s.kind)
	if err != nil {
		t.Fatal(err)
	}
	refused := map[string][]string{}
	for _, step := range script.Steps {
		err := refusals(t.Context(), c, &step)
		e, ok := errors.AsType[*refusedError](err)
		if !ok {
			t.Fatalf("the step %q refuses no rows: %v", step.What, err)
		}
		for _, r := range e.all {
			refused[r.table] = append(refused[r.table], r.ids...)
		}
	}
	for i, change := range changes {
		table := fmt.Sprintf("t%d", i)
		for j, doc := range texts(t, c, "SELECT "+asText(c.Dialect(), "doc")+" FROM "+table+" WHERE doc IS NOT NULL ORDER BY id") {
			switch fit, found := fits(table, change, doc), slices.Contains(refused[table], strconv.Itoa(j+2)); {
			case fit && found:
				t.Errorf("%s: %.80s fits, and is refused", change.what, doc)
			case !fit && !found:
				t.Errorf("%s: %.80s does not fit (%v), and is not refused", change.what, doc, change.readable(doc))
			}
		}
		if slices.Contains(refused[table], "1") {
			t.Errorf("%s: a row without a document is refused", change.what)
		}
	}
}

// TestMembersThatComeBack drops a member, and adds one of that name with another type: what documents still hold of the
// first one is found where no program could read it.
func TestMembersThatComeBack(t *testing.T) {
	var changes []memberChange
	var first, without, again []string
	for _, c := range changesOfMembers() {
		if !strings.Contains(c.what, " to ") || c.from == c.to || slices.Contains([]string{"date", "datetime", "bytes"}, c.to) {
			continue // each string is taken for a date, which is looked at no closer
		}
		table := fmt.Sprintf("t%d", len(changes))
		changes = append(changes, c)
		first, again = append(first, c.definition(table, c.from, c.before)), append(again, c.definition(table, c.to, c.after))
		without = append(without, fmt.Sprintf("name: %s\nfields:\n  - {name: doc, type: json, drop: [m], fields: [{name: other, type: text}]}\n", table))
	}
	was := of(first...).must(t)
	h := begin(t, was)
	var last *migrate.Migration
	for _, texts := range [][]string{without, again} {
		next, wrong := h.add(t, of(texts...).must(t))
		if len(wrong) > 0 {
			t.Fatal(wrong)
		}
		last = next[0]
	}
	onEach(t, func(t *testing.T, s *server) {
		expectRefused(t, s, was, last, changes, func(_ string, c memberChange, doc string) bool {
			var m struct{ M json.RawMessage }
			return json.Unmarshal([]byte(doc), &m) == nil && (c.readable(doc) == nil || c.to == "decimal" && m.M[0] == '"')
		})
	})
}

// readable has generated code read a document.
func (c memberChange) readable(doc string) error {
	if read, ok := readMember[c.to]; ok {
		return read(doc)
	}
	return reads[string](doc)
}

// fits reports whether a program of now reads a document, and may write it again with the same value. Formats
// are left out, as migrations of columns leave them out.
func (c memberChange) fits(rules check.Rules, doc string) bool {
	rules.Fields = slices.Clone(rules.Fields)
	for i := range rules.Fields {
		rules.Fields[i].Rules.Format = ""
	}
	var m struct{ M json.RawMessage }
	if err := json.Unmarshal([]byte(doc), &m); err != nil {
		return false
	}
	if n, err := strconv.ParseInt(string(m.M), 10, 64); c.from == "number" && c.to == "float" && err == nil && (n > 1<<53 || n < -1<<53) {
		return false
	}
	return c.readable(doc) == nil && len(rules.Check(json.RawMessage(doc))) == 0
}

// TestEveryTypeOfMember holds memberValues to the types that there are.
func TestEveryTypeOfMember(t *testing.T) {
	for _, typ := range fieldtype.Writable() {
		if _, ok := memberValues[typ.Name]; !ok && typ.Name != "reference" {
			t.Errorf("there are no documents with a %s", typ.Name)
		}
	}
}
