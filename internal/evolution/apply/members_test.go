package apply_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	evolution "github.com/hegner123/modulagen/gen/migrate"
	"github.com/hegner123/modulagen/gen/model"
)

// renamedMembers are two versions of a datatype, of which the second one renames members together with their field and
// with the datatype, has two change places, and moves others on.
var renamedMembers = []definitions{
	{"item": `fields:
  - name: price
    type: json
    fields: [{name: amount, type: number}, {name: currency, type: text}, {name: rate, type: float}, {name: extra, type: json}, {name: cost, type: decimal}]
  - {name: size, type: json, fields: [{name: a, type: number}, {name: b, type: json}, {name: c, type: text}, {name: d, type: text}]}
`},
	{"product": `was: item
fields:
  - name: cost
    was: price
    type: json
    fields: [{name: amount, type: number}, {name: unit, was: currency, type: text}, {name: rate, type: float}, {name: order, was: extra, type: json}, {name: net, was: cost, type: decimal}]
  - {name: size, type: json, fields: [{name: b, was: a, type: number}, {name: a, was: b, type: json}, {name: d, was: c, type: text}, {name: e, was: d, type: text}]}
`},
}

// movedDocuments are documents as they are in the versions: before, after, and once the change is undone, where that is not what
// they were before.
var movedDocuments = []struct{ column, before, after, undone string }{
	{"price", `{"amount":9007199254740993,"currency":"it's \"q\" \\ \u0001 é \ud83d\ude00 -- ; ␍","cost":"123456789012345.67"}`, `{"amount":9007199254740993,"unit":"it's \"q\" \\ \u0001 é 😀 -- ; ␍","net":"123456789012345.67"}`, ""},
	{"price", `{"amount":-9223372036854775808,"rate":0.30000000000000004}`, `{"amount":-9223372036854775808,"rate":0.30000000000000004}`, ""},
	{"price", `{"currency":null,"rate":0.1}`, `{"unit":null,"rate":0.1}`, ""},
	{"price", `{"currency":""}`, `{"unit":""}`, ""},
	{"price", `{}`, `{}`, ""},
	{"price", `{"extra":{"currency":[1,true,null,"x",{"cost":[[],{}]}],"n":18446744073709551615}}`, `{"order":{"currency":[1,true,null,"x",{"cost":[[],{}]}],"n":18446744073709551615}}`, ""},
	{"price", `{"extra":false,"cost":12}`, `{"order":false,"net":12}`, ""},
	{"price", `{"extra":"null"}`, `{"order":"null"}`, ""},
	{"price", `{"unit":"of a member that was dropped","currency":"EUR"}`, `{"unit":"EUR"}`, `{"currency":"EUR"}`},
	{"price", `{"unit":"of a member that was dropped","unknown":[1]}`, `{"unknown":[1]}`, `{"unknown":[1]}`},
	{"size", `{"a":1,"b":{"a":2},"c":"c","d":"d"}`, `{"b":1,"a":{"a":2},"d":"c","e":"d"}`, ""},
	{"size", `{"a":1}`, `{"b":1}`, ""},
	{"size", `{"b":null}`, `{"a":null}`, ""},
	{"size", `{"c":"moved on"}`, `{"d":"moved on"}`, ""},
	{"size", `{"d":"moved on"}`, `{"e":"moved on"}`, ""},
	{"size", `null`, `null`, ""},
}

// TestMembersRenamed has documents hold the same under other names after a migration, what they held before once it is undone, and
// the same again after it is applied once more. The rows are more than a batch has.
func TestMembersRenamed(t *testing.T) {
	p, chain := history(t, renamedMembers...), chainOf(t, renamedMembers...)
	back, err := evolution.Back(chain.Migrations[1], chain.Migrations[0].Snapshot, "migrations")
	if err != nil {
		t.Fatal(err)
	}
	everywhere(t, func(t *testing.T, fresh func() string) {
		dsn := fresh()
		if _, err := p[0].up(t.Context(), dsn); err != nil {
			t.Fatal(err)
		}
		inserts := []string{"INSERT INTO item (price) VALUES (NULL)" + strings.Repeat(", (NULL)", 499)} // a batch
		for _, d := range movedDocuments {
			inserts = append(inserts, fmt.Sprintf("INSERT INTO item (%s) VALUES (%s)", d.column, text(dsn, d.before)))
		}
		run(t, dsn, append(inserts, inserts[0])...)
		up := func() {
			t.Helper()
			if r, err := p[1].up(t.Context(), dsn); err != nil || len(r.Applied) != 1 {
				t.Fatalf("%+v, %v", r, err)
			}
			expectDocuments(t, dsn, "product", "cost", func(i int) string { return movedDocuments[i].after })
		}
		up()
		p[1].takeBack(t, dsn, back)
		expectDocuments(t, dsn, "item", "price", func(i int) string { return cmp.Or(movedDocuments[i].undone, movedDocuments[i].before) })
		up()
	})
}

// text is a text in SQL, with nothing in it that escapes.
func text(dsn, s string) string {
	s = strings.ReplaceAll(s, "'", "''")
	if strings.HasPrefix(dsn, "mysql") {
		s = strings.ReplaceAll(s, `\`, `\\`)
	}
	return "'" + s + "'"
}

// asText is a document as text.
func asText(dsn, expression string) string {
	kind, _, _ := strings.Cut(dsn, ":")
	return fmt.Sprintf("CAST(%s AS %s)", expression, map[string]string{"sqlite": "TEXT", "postgres": "text", "mysql": "CHAR"}[kind])
}

// expectDocuments compares movedDocuments by what they hold, with each digit of their numbers, and looks for others.
func expectDocuments(t *testing.T, dsn, table, price string, want func(i int) string) {
	t.Helper()
	got := rows(t, dsn, fmt.Sprintf("SELECT %s FROM %s ORDER BY id", asText(dsn, "COALESCE("+price+", size)"), table))
	if len(got) != 1000+len(movedDocuments) {
		t.Fatalf("there are %d rows", len(got))
	}
	for i, doc := range got {
		switch n := i - 500; {
		case n < 0 || n >= len(movedDocuments):
			if doc != "NULL" {
				t.Errorf("a row without a document has %s", doc)
			}
		case canonical(t, doc) != canonical(t, want(n)):
			t.Errorf("%s became %s, not %s", movedDocuments[n].before, doc, want(n))
		}
	}
}

// canonical writes a document with its members in order.
func canonical(t *testing.T, doc string) string {
	t.Helper()
	var v any
	d := json.NewDecoder(strings.NewReader(doc))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%s: %v", doc, err)
	}
	out, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// TestMembersRenamedOnce keeps a `was` in the definitions, which must not move values again: nothing is new then, and a
// migration of something else has no step for it.
func TestMembersRenamedOnce(t *testing.T) {
	swapped := "fields:\n  - {name: size, type: json, fields: [{name: b, was: a, type: number}, {name: a, was: b, type: number}, {name: d, was: c, type: text}]}\n"
	chain := chainOf(
		t,
		definitions{"item": "fields:\n  - {name: size, type: json, fields: [{name: a, type: number}, {name: b, type: number}, {name: c, type: text}]}\n"},
		definitions{"item": swapped},
		definitions{"item": swapped},
		definitions{"item": swapped + "  - {name: n, type: number}\n"},
	)
	if len(chain.Migrations) != 3 {
		t.Fatalf("there are %d migrations", len(chain.Migrations))
	}
	for _, db := range model.Databases {
		steps := func(i int) (all []string) {
			s, err := chain.Migrations[i].Script("migrations", db)
			if err != nil {
				t.Fatal(err)
			}
			for _, step := range s.Steps {
				all = append(all, step.What)
			}
			return all
		}
		if got := steps(1); !slices.Equal(got, []string{"item.size: a becomes b, b becomes a, c becomes d in its documents"}) {
			t.Errorf("%s: the first one has the steps %q", db, got)
		}
		if got := steps(2); len(got) != 1 || !strings.HasPrefix(got[0], "item.n: ") {
			t.Errorf("%s: the second one has the steps %q", db, got)
		}
	}
}
