package evolution_test

import (
	"os"
	"regexp"
	"testing"
)

// TestRenamedMember runs the UPDATE that the page for users shows for each database, on documents of which some lack the
// member.
func TestRenamedMember(t *testing.T) {
	page, err := os.ReadFile("../../docs/evolution.md")
	if err != nil {
		t.Fatal(err)
	}
	updates := regexp.MustCompile(`(?m)^(UPDATE item SET price .*); -- (?:SQLite|PostgreSQL|MySQL)$`).FindAllStringSubmatch(string(page), -1)
	if len(updates) != 3 {
		t.Fatalf("the page shows %d statements", len(updates))
	}
	v := of("name: item\nfields:\n  - {name: price, type: json, fields: [{name: amount, type: number}, {name: currency, type: text}]}\n").must(t)
	rows := map[string]string{
		`{"amount":9007199254740993,"currency":"it's \"q\" \\ é"}`: `{"amount":9007199254740993,"unit":"it's \"q\" \\ é"}`,
		`{"amount":1}`:                    `{"amount":1}`,
		`{"amount":2,"currency":null}`:    `{"amount":2,"unit":null}`,
		`{"currency":{"a":[1,true,"x"]}}`: `{"unit":{"a":[1,true,"x"]}}`,
	}
	onEach(t, func(t *testing.T, s *server) {
		db := open(t, s.fresh(t), v.schema())
		c := db.Conn()
		price := field(v.datatype("item"), "price")
		for before := range rows {
			exec(t, c, "INSERT INTO item (price) VALUES ("+literal(c.Dialect(), price, some(before))+")")
		}
		exec(t, c, "INSERT INTO item (price) VALUES (NULL)")
		was := read(t, c, v)["item"]
		exec(t, c, updates[c.Dialect()][1])
		for i, r := range read(t, c, v)["item"] {
			want := value(nil)
			if old := was[i]["price"]; old != nil {
				want = some(rows[*old])
			}
			if !same(r["price"], want) {
				t.Errorf("%s became %s, not %s", show(was[i]["price"]), show(r["price"]), show(want))
			}
		}
	})
}
