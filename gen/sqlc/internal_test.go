package sqlc

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hegner123/modulagen/gen/mistake"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/check"
)

func TestCacheDropsWhatIsOldAndTooMuch(t *testing.T) {
	c := cache{dir: t.TempDir()}
	now := time.Now()
	var keys []string
	for i := range 4 {
		key := fmt.Sprintf("%02d00", i)
		keys = append(keys, key)
		c.put(key, []Analysed{{Name: strings.Repeat("x", 1000)}})
		used := now.Add(-time.Duration(i) * 12 * 24 * time.Hour) // the last one 36 days ago
		if err := os.Chtimes(c.path(key), used, used); err != nil {
			t.Fatal(err)
		}
	}
	c.prune(now)
	for i, key := range keys {
		if _, ok := c.get(key, 1); ok != (i < 3) {
			t.Errorf("entry %d is there: %v", i, ok)
		}
	}
	c.drop(now, 2000) // the youngest and no more
	left, err := filepath.Glob(filepath.Join(c.dir, "*", "*.json"))
	if err != nil || len(left) != 1 || left[0] != c.path(keys[0]) && left[0] != c.path(keys[1]) && left[0] != c.path(keys[2]) {
		t.Errorf("left: %v, %v", left, err)
	}
}

func TestCacheThatCannotBe(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []cache{{}, {dir: filepath.Join(file, "sqlc")}, openCache("off")} {
		c.put("abcd", []Analysed{{Name: "A"}})
		c.prune(time.Now())
		if _, ok := c.get("abcd", 1); ok {
			t.Errorf("%q keeps an entry", c.dir)
		}
	}
}

func TestKeyDependsOnEverything(t *testing.T) {
	base := func() *unit {
		return &unit{database: model.SQLite, schema: []string{"CREATE TABLE a;\n"}, queries: []model.Query{{Name: "A", Command: ":one", Text: "SELECT 1"}}}
	}
	seen := map[string]int{base().key(): -1}
	for i, change := range []func(*unit){
		func(u *unit) { u.database = model.MySQL },
		func(u *unit) { u.schema[0] += "x" },
		func(u *unit) { u.schema = append(u.schema, "") },
		func(u *unit) { u.queries[0].Name = "B" },
		func(u *unit) { u.queries[0].Command = ":many" },
		func(u *unit) { u.queries[0].Text += " " },
		func(u *unit) { u.queries = append(u.queries, model.Query{}) },
	} {
		u := base()
		change(u)
		if other, ok := seen[u.key()]; ok {
			t.Errorf("change %d has the key of %d", i, other)
		}
		seen[u.key()] = i
	}
}

func TestChunks(t *testing.T) {
	var units []*unit
	for i := range 200 {
		for _, db := range model.Databases {
			units = append(units, &unit{database: db, queries: make([]model.Query, 7), user: map[bool]*rewritten{true: {}}[i == 0]})
		}
	}
	seen := map[*unit]bool{}
	for _, chunk := range chunks(units, 2) {
		n := 0
		for _, u := range chunk {
			if seen[u] || u.database != chunk[0].database || (u.user == nil) != (chunk[0].user == nil) {
				t.Fatal("a chunk mixes what does not belong together, or repeats it")
			}
			seen[u] = true
			n += len(u.queries)
		}
		if n > mostQueries+7 {
			t.Errorf("a chunk of %d queries", n)
		}
	}
	if len(seen) != len(units) {
		t.Errorf("%d of %d units are in chunks", len(seen), len(units))
	}
}

// readsAll reads a query in every way that the inference does.
func readsAll(w *written) {
	a := &model.Datatype{Name: "a", Fields: []*model.Field{
		{Name: "price", Type: "decimal", Scale: 2}, {Name: "status", Type: "select", Rules: check.Rules{Options: []string{"x"}}},
	}}
	datatypes := map[string]*model.Datatype{"a": a, "b": {Name: "b", Fields: a.Fields}}
	w.literals(datatypes)
	w.parse(datatypes)
	w.differ()
	w.notes()
	for _, db := range model.Databases {
		w.lowered(db)
	}
	s := newScope(w, datatypes)
	for _, e := range s.items() {
		s.expressionType(e.span)
		w.outputType(e.name)
		w.decimals(e.name)
		s.madeOfParameter(e.name)
		w.unknown(0, "column", "a."+e.name, datatypes)
	}
}

// FuzzLexer holds that tokens put together are the text, and that rewriting
// never fails, whatever stands in a file.
func FuzzLexer(f *testing.F) {
	for _, s := range []string{
		"-- name: A :many\nSELECT 'it''s' FROM a WHERE x = sqlc.arg(y) AND z = @z::int; -- end",
		"SELECT \"a;b\", `c`, $1, ?2, :x, @@v, $$t;$$, $a$ ' $a$ /* /* */ */;",
		"-- name: B :one\nSELECT sqlc.arg('x'), sqlc.narg(), sqlc.slice(a), E'\\'';",
		"-- name: C :many\nSELECT max(a.price), coalesce(price, -1.5) x FROM a, b AS c WHERE price BETWEEN 1 AND (2) AND status NOT IN ('x');",
		"-- name: D :exec\nINSERT INTO a (price, status) VALUES (1, 'y'), (2.5, @x);",
		"-- name: E :many\nWITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT i, (SELECT max(price) / 2 FROM a WHERE (price, status) < (@p, @s)) FROM n LEFT JOIN b USING (id) WHERE x LIKE @y ESCAPE '!' ORDER BY 1 DESC NULLS LAST;",
		"-- name: F :exec\nUPDATE a SET price = CASE WHEN price IS NULL THEN -1 ELSE price % 2 END, status = (SELECT 'x') WHERE NOT EXISTS (SELECT 1 FROM (VALUES (1, 2)) v) AND count(*) OVER (ORDER BY x) > 1;",
		"'", "/*", "$x$", "@", ":", "--", "\\", "é@é",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, dbs := range [][]model.Database{model.Databases, {model.Postgres}, {model.MySQL}, {model.SQLite}} {
			tokens, bad := newLexer(text, dbs).tokens()
			var b strings.Builder
			for _, tok := range tokens {
				if tok.at != b.Len() || tok.text == "" {
					t.Fatalf("token %q at %d, want %d", tok.text, tok.at, b.Len())
				}
				b.WriteString(tok.text)
			}
			if bad == nil && b.String() != text || !strings.HasPrefix(text, b.String()) {
				t.Fatalf("tokens make %q of %q", b.String(), text)
			}
			var mistakes mistake.List
			s := &source{UserFile: &model.UserFile{Path: "q.sql", Text: text, Databases: dbs}, mistakes: &mistakes}
			for _, v := range collect([]*source{s}, nil) {
				for _, r := range v.of {
					readsAll(r.query)
					if at := r.origin(1, 1); at < 0 || at >= len(text) {
						t.Fatalf("origin %d of a text of %d", at, len(text))
					}
					r.origin(1000, 1000)
				}
			}
			for _, m := range mistakes {
				if m.Line < 1 || m.Column < 1 || m.Line > 1+strings.Count(text, "\n") {
					t.Fatalf("a mistake at %d:%d", m.Line, m.Column)
				}
			}
		}
	})
}
