package sqlc

import (
	"slices"
	"strings"
	"testing"

	"github.com/hegner123/modulagen/gen/mistake"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/check"
)

// shop is a datatype with a field of each kind.
func shop() map[string]*model.Datatype {
	cache := &model.Datatype{Name: "page_cache"}
	author := &model.Datatype{Name: "author", ID: model.IDInteger, Fields: []*model.Field{{Name: "name", Type: "text", NotNull: true}}}
	book := &model.Datatype{Name: "book", ID: model.IDInteger, Effects: []model.Effect{
		{On: model.Creates, Missed: "It writes book, and wakes no worker."},
		{On: model.AllWrites, Missed: "It writes what page_cache depends on, and removes none of its entries."},
	}, Fields: []*model.Field{
		{Name: "title", Type: "text", NotNull: true},
		{Name: "author", Type: "reference", References: author},
		{Name: "pages", Type: "number"},
		{Name: "sold", Type: "number", NotNull: true},
		{Name: "price", Type: "decimal", Scale: 2, NotNull: true},
		{Name: "rate", Type: "decimal", Scale: 4},
		{Name: "score", Type: "float", NotNull: true},
		{Name: "weight", Type: "float"},
		{Name: "active", Type: "boolean", NotNull: true},
		{Name: "body", Type: "textarea"},
		{Name: "data", Type: "bytes"},
		{Name: "out_on", Type: "date"},
		{Name: "read_at", Type: "datetime"},
		{Name: "status", Type: "select", Rules: check.Rules{Options: []string{"draft", "live"}}},
	}}
	author.Cascades = []model.Cascade{{Datatype: book, Field: book.Fields[1]}}
	note := &model.Datatype{Name: "note", ID: model.IDInteger, Fields: []*model.Field{
		{Name: "text", Type: "text", NotNull: true},
		{Name: "state", Type: "select", Rules: check.Rules{Options: []string{"open", "done"}}, Moves: []model.Moves{{From: "open", To: []string{"done"}}}},
		{Name: "updated_at", Type: "datetime", NotNull: true, Touched: true},
	}}
	page := &model.Datatype{Name: "page", ID: model.IDInteger, Fields: []*model.Field{
		{Name: "text", Type: "text", NotNull: true},
		{Name: "version", Type: "number", NotNull: true, Raised: true},
	}}
	at := &model.Field{Name: "run_at", Type: "datetime"}
	job := &model.Datatype{Name: "job", ID: model.IDInteger, Fields: []*model.Field{
		at, {Name: "hold", Type: "text", Beside: at, BesideWhy: "a job that waits is taken before its time: set that to 'time'"},
	}}
	return map[string]*model.Datatype{"author": author, "book": book, "page_cache": cache, "note": note, "page": page, "job": job}
}

// judge reads a query as generation does before an engine sees it.
func judge(t *testing.T, statement string, dbs ...model.Database) (*written, mistake.List) {
	t.Helper()
	if len(dbs) == 0 {
		dbs = model.Databases
	}
	var mistakes mistake.List
	s := &source{UserFile: &model.UserFile{Path: "q.sql", Text: "-- name: A :many\n" + statement + ";\n", Databases: dbs}, mistakes: &mistakes}
	versions := collect([]*source{s}, shop())
	if len(versions) != 1 {
		t.Fatalf("%s: %v", statement, mistakes)
	}
	w := versions[0].first().query
	w.lacks()
	w.literals(shop())
	w.differ()
	return w, mistakes
}

// What is refused, and beside it what is written instead, whose values
// testdata/live states for every database.
func TestDifferences(t *testing.T) {
	covered := map[string]bool{}
	for _, c := range []struct{ row, refused, wrong, accepted string }{
		{"division by what may be zero", "SELECT sold / pages AS x FROM book", "a division by zero", "SELECT sold / nullif(pages, 0) AS x, sold / 2 AS y, sold % 3 AS z FROM book"},
		{"division of a decimal", "SELECT price / 2 AS x FROM book", "whose division is not theirs", "SELECT price * 0.5 AS x FROM book"},
		{"decimals of different scales", "SELECT price + rate AS x FROM book", "scaled differently", "SELECT price + price AS x FROM book WHERE price > 0"},
		{"decimals of different scales", "SELECT id FROM book WHERE price > sold", "scaled differently", "SELECT id FROM book WHERE price > @least"},
		{"a product of a decimal and a parameter", "SELECT price * @n AS x FROM book", "scaled twice", "SELECT price * sold AS x FROM book"},
		{"a decimal in a function or a CAST", "SELECT round(price) AS x FROM book", "which round does not know", "SELECT round(avg(sold)) AS x FROM book"},
		{"a decimal in a function or a CAST", "SELECT CAST(price AS bigint) AS x FROM book", "which a CAST does not know", "SELECT CAST(pages AS bigint) AS x FROM book"},
		{"a float in round, %, a CAST or a function of texts", "SELECT round(score, 2) AS x FROM book", "postgres rounds no float", "SELECT score * 0.5 AS x FROM book"},
		{"a float in round, %, a CAST or a function of texts", "SELECT score % 2 AS x FROM book", "no remainder of a float", "SELECT floor(score) AS x FROM book"},
		{"a float in round, %, a CAST or a function of texts", "SELECT mod(score, 2) AS x FROM book", "no remainder of a float", "SELECT abs(score) AS x FROM book"},
		{"a float in round, %, a CAST or a function of texts", "SELECT CAST(avg(score) AS bigint) AS x FROM book", "a CAST of a float is rounded", "SELECT avg(score) AS x FROM book"},
		{"a float in round, %, a CAST or a function of texts", "SELECT length(score) AS x FROM book", "a float is written in different ways", "SELECT length(title) AS x FROM book"},
		{"decimals of different scales", "SELECT id FROM book WHERE score > price", "scaled differently", "SELECT id FROM book WHERE score > sold AND score > 0.5"},
		{"division by what may be zero", "SELECT score / weight AS x FROM book", "a division by zero", "SELECT score / nullif(weight, 0) AS x FROM book"},
		{"concat", "SELECT concat(title, score) AS x FROM book", "a float is written in different ways", "SELECT concat(title, title) AS x FROM book"},
		{"comparison of different types", "SELECT id FROM book WHERE score = '0.5'", "'0.5' is a text", "SELECT id FROM book WHERE score = @score"},
		{"", "UPDATE book SET sold = score", "this a float, which postgres and mysql would round", "UPDATE book SET score = score * 0.5 + sold"},
		{"", "UPDATE book SET price = score", "price is a decimal(2), and this a float", "UPDATE book SET score = sold"},
		{"", "UPDATE book SET score = sold * 1.5", "score is a float, and this a fraction", "UPDATE book SET score = weight * 1.5"},
		{"", "UPDATE book SET score = price", "another kind of number on sqlite", "UPDATE book SET score = @score"},
		{"arithmetic with what is no number", "SELECT read_at - out_on AS x FROM book", "- with a datetime", "SELECT sold - pages AS x FROM book"},
		{"arithmetic with what is no number", "SELECT title + 1 AS x FROM book", "+ is no operator of a text", "SELECT length(title) + 1 AS x FROM book"},
		{"a sum of booleans", "SELECT sum(active) AS x FROM book", "no sum of a boolean", "SELECT sum(CASE WHEN active THEN 1 ELSE 0 END) AS x FROM book"},
		{"a number for a condition", "SELECT id FROM book WHERE NOT pages", "no number for a condition", "SELECT id FROM book WHERE NOT (pages <> 0)"},
		{"a number for a condition", "SELECT id FROM book WHERE pages", "no number for a condition", "SELECT id FROM book WHERE active"},
		{"comparison of different types", "SELECT id FROM book WHERE title = 5", "a text is compared with a number", "SELECT id FROM book WHERE title = '5'"},
		{"comparison of different types", "SELECT id FROM book WHERE pages = '5'", "'5' is a text", "SELECT id FROM book WHERE pages = 5"},
		{"comparison of different types", "SELECT id FROM book WHERE data = 'abc'", "not the same as these bytes", "SELECT id FROM book WHERE data = @data"},
		{"comparison of different types", "SELECT id FROM book WHERE out_on < CURRENT_TIMESTAMP", "a date is compared with a datetime", "SELECT id FROM book WHERE out_on < CURRENT_DATE"},
		{"comparison of different types", "SELECT id FROM book WHERE (read_at, id) < (@at, title)", "id is compared with a text", "SELECT id FROM book WHERE (read_at, id) < (@at, @id)"},
		{"a text that ends with a blank", "SELECT id FROM book WHERE title = 'a '", "mysql does not see blanks", "SELECT id FROM book WHERE title = 'a'"},
		{"concat", "SELECT concat(title, body) AS x FROM book", "a null makes mysql's concat null", "SELECT concat(title, coalesce(body, '')) AS x FROM book"},
		{"concat", "SELECT concat(title, active) AS x FROM book", "a boolean is written in different ways", "SELECT concat(title, sold) AS x FROM book"},
		{"a date by CAST", "SELECT CAST(read_at AS date) AS x FROM book", "sqlite has no type date", "SELECT date(read_at) AS x FROM book"},
		{"division by what may be zero", "SELECT 7 / (0) AS x FROM book", "a division by zero", "SELECT 7 / -2 AS x FROM book"},
		{"a CAST of or to what is not the same", "SELECT CAST(pages AS decimal(18,2)) / 3 AS x FROM book", "sqlite has no type decimal(18,2)", "SELECT CAST(pages AS real) / 3 AS x FROM book"},
		{"a CAST of or to what is not the same", "SELECT CAST(pages AS numeric) AS x FROM book", "sqlite has no type numeric", "SELECT CAST(pages AS double precision) AS x FROM book"},
		{"a CAST of or to what is not the same", "SELECT CAST(title AS varchar(3)) AS x FROM book", "sqlite does not cut a text off", "SELECT CAST(title AS varchar) AS x FROM book"},
		{"a CAST of or to what is not the same", "SELECT CAST(pages AS boolean) AS x FROM book", "not all databases have the type boolean", "SELECT pages <> 0 AS x FROM book"},
		{"a CAST of or to what is not the same", "SELECT CAST(title AS json) AS x FROM book", "not all databases have the type json", "SELECT CAST(title AS char) AS x FROM book"},
		{"a CAST of or to what is not the same", "SELECT CAST(pages * 1.5 AS bigint) AS x FROM book", "a CAST of a fraction is rounded", "SELECT CAST(pages * 1.5 AS real) AS x FROM book"},
		{"a CAST of or to what is not the same", "SELECT CAST(active AS integer) AS x FROM book", "postgres makes no bigint of a boolean", "SELECT CASE WHEN active THEN 1 ELSE 0 END AS x FROM book"},
		{"a CAST of or to what is not the same", "SELECT CAST(title AS bigint) AS x FROM book", "a text that is no number", "SELECT CAST(pages AS text) AS x FROM book"},
		{"a CAST of or to what is not the same", "SELECT CAST(read_at AS text) AS x FROM book", "a datetime is converted in different ways", "SELECT CAST(@n AS bigint) AS x FROM book"},
		{"bits", "SELECT pages << 1 AS x FROM book", "<< means different things", "SELECT pages * 2 AS x FROM book"},
		{"bits", "SELECT score & 1 AS x FROM book", "& is not the same", "SELECT ~(pages & 1 | sold) AS x FROM book"},
		{"a member of JSON", "SELECT body ->> 'a' AS x FROM book", "->> is not the same", "SELECT body FROM book"},
		{"functions of one name", "SELECT log(pages) AS x FROM book", "log is to the base of ten", "SELECT log10(pages) AS x FROM book"},
		{"functions of one name", "SELECT format('%s', title) AS x FROM book", "format is not the same", "SELECT title FROM book"},
		{"LIMIT in the subquery of IN", "SELECT id FROM book WHERE author IN (SELECT id FROM author ORDER BY id LIMIT 2)", "mysql takes no LIMIT", "SELECT id FROM book WHERE author IN (SELECT id FROM (SELECT id FROM author ORDER BY id LIMIT 2) AS t)"},
		{"what lag and lead give where there is no row", "SELECT lead(sold, 1, 0) OVER (ORDER BY id) AS x FROM book", "mariadb's lead takes no third", "SELECT coalesce(lead(sold, 1) OVER (ORDER BY id), 0) AS x FROM book"},
		{"random", "SELECT id FROM book ORDER BY random()", "random is not the same", "SELECT id FROM book ORDER BY id"},
		{"mod", "SELECT mod(sold, 3) AS x FROM book", "sqlite's mod is a fraction", "SELECT sold % 3 AS x FROM book"},
		{"substr from before the first character", "SELECT substr(title, -2) AS x FROM book", "before the first character", "SELECT substr(title, length(title) - 1) AS x FROM book"},
		{"", "SELECT title, pages FROM book GROUP BY title", "pages has several values in a group", "SELECT title, max(pages) AS x FROM book GROUP BY title"},
		{"", "SELECT title, count(*) AS n FROM book", "title has several values in a group", "SELECT title, pages FROM book GROUP BY id"},
		{"", "SELECT title, count(*) AS n FROM book GROUP BY title HAVING n > 1", "no name of the list in HAVING", "SELECT title, count(*) AS n FROM book GROUP BY title HAVING count(*) > 1"},
		{"", "SELECT DISTINCT title FROM book ORDER BY pages", "postgres refuses the order", "SELECT DISTINCT title, pages FROM book ORDER BY pages"},
		{"", "UPDATE book SET sold = pages, pages = sold", "mysql has changed sold already", "UPDATE book SET pages = sold, sold = 0"},
		{"", "UPDATE book SET read_at = CURRENT_DATE", "read_at is a datetime, and this a date", "UPDATE book SET read_at = CURRENT_TIMESTAMP, out_on = CURRENT_DATE"},
		{"", "UPDATE book SET price = sold * 2", "another kind of number on sqlite", "UPDATE book SET price = price * 2"},
		{"", "UPDATE book SET pages = pages * 1.5", "another kind of number on sqlite", "UPDATE book SET pages = pages * 3 / 2"},
		{"", "INSERT INTO book (title, out_on) VALUES ('x', CURRENT_TIMESTAMP)", "out_on is a date, and this a datetime", "INSERT INTO book (title, out_on) VALUES ('x', CURRENT_DATE)"},
	} {
		covered[c.row] = true
		_, got := judge(t, c.refused)
		if len(got) != 1 || !strings.Contains(got[0].Message, c.wrong) || got[0].Line != 2 || got[0].Hint == "" {
			t.Errorf("%s\n  gives %v\n  want one that says %q", c.refused, got, c.wrong)
		}
		if _, got := judge(t, c.accepted); len(got) > 0 {
			t.Errorf("%s\n  gives %v", c.accepted, got)
		}
	}
	for _, d := range differences {
		if !covered[d.name] {
			t.Errorf("no test of %q", d.name)
		}
	}
}

func TestDifferencesOfOneDatabase(t *testing.T) {
	for _, c := range []struct {
		statement string
		db        model.Database
		fine      bool
	}{
		{"SELECT id FROM book ORDER BY random()", model.Postgres, true},
		{"SELECT CAST(read_at AS date) AS x FROM book", model.Postgres, true},
		{"SELECT sold / pages AS x FROM book", model.SQLite, true},
		{"SELECT price / 2 AS x FROM book", model.MySQL, true},
		{"SELECT sum(active) AS x FROM book", model.MySQL, true},
		{"SELECT CAST(sold AS decimal(18,2)) AS x FROM book", model.Postgres, true},
		{"SELECT body ->> 'a' AS x FROM book", model.Postgres, true},
		{"SELECT lead(sold, 1, 0) OVER (ORDER BY id) AS x FROM book", model.Postgres, true},
		{"SELECT id FROM book WHERE author IN (SELECT id FROM author LIMIT 2)", model.Postgres, true},
		{"SELECT id FROM book WHERE author IN (SELECT id FROM author LIMIT 2)", model.MySQL, false},
		{"SELECT sum(active) AS x FROM book", model.Postgres, false},
		{"SELECT price / 2 AS x FROM book", model.SQLite, false},
	} {
		if _, got := judge(t, c.statement, c.db); (len(got) == 0) != c.fine {
			t.Errorf("%s: %s gives %v", c.db, c.statement, got)
		}
	}
}

func TestExpressionTypes(t *testing.T) {
	for expression, want := range map[string]string{
		"nullif(pages, 0)": "number null", "nullif(sold, 0)": "number null", "abs(pages)": "number null", "abs(sold)": "number",
		"pages + 1": "number null", "sold + 1": "number", "pages > 5": "boolean null", "sold > 5 AND active": "boolean", "NOT active": "boolean",
		"substr(title, 1, 2)": "textarea", "substr(body, 1, 2)": "textarea null", "upper(body)": "textarea null", "length(title)": "number",
		"row_number() OVER (ORDER BY id)": "number", "rank() OVER (ORDER BY id)": "number", "lag(sold) OVER (ORDER BY id)": "number null",
		"count(*)": "number", "sum(sold)": "number null", "sum(price * sold)": "decimal(2) null", "price * price": "decimal(4)",
		"avg(score)": "float null", "sum(weight)": "float null", "score * 2": "float", "score / nullif(sold, 0)": "float null", "sold / nullif(score, 0)": "float null",
		"score * 1.5": "float", "avg(sold) * score": "float null", "score * price": "fraction of 2 digits", "max(score)": "float null", "abs(weight)": "float null", "floor(score)": "float",
		"coalesce(weight, 0)": "float", "coalesce(weight, sold)": "float", "coalesce(weight, 0.5)": "float", "score + @n": "float", "score > 1": "boolean", "-score": "float",
		"CASE WHEN active THEN score ELSE 0 END": "float", "sum(score * sold)": "float null", "lag(score) OVER (ORDER BY id)": "float null",
		"avg(sold)": "fraction null", "sold * 1.5": "fraction", "price * 1.5": "fraction of 2 digits", "max(read_at)": "datetime null",
		"min(status)": "select null", "coalesce(pages, 0)": "number", "coalesce(pages, sold)": "number", "coalesce(pages, NULL)": "number null",
		"CASE WHEN pages > 5 THEN pages ELSE 0 END": "number null", "CASE WHEN pages > 5 THEN 1 END": "number null",
		"CASE pages WHEN 1 THEN 'a' ELSE 'b' END": "textarea", "CURRENT_TIMESTAMP": "datetime", "coalesce(read_at, CURRENT_TIMESTAMP)": "datetime",
		"date(read_at)": "date null", "EXISTS (SELECT 1 FROM author)": "boolean", "(SELECT count(*) FROM author)": "number",
		"(SELECT name FROM author LIMIT 1)": "text null", "(SELECT max(id) FROM author)": "id null", "pages IS NULL": "boolean",
		"pages IN (1, 2)": "boolean null", "title LIKE 'a%'": "boolean", "-sold": "number", "sold / 2": "number", "sold / nullif(pages, 0)": "number null",
		"(sold + 1) * 2": "number", "CAST(title AS bigint)": "number", "true": "boolean", "'x'": "textarea", "1": "number", "1.5": "fraction", "nosuch(title)": "",
	} {
		w, _ := judge(t, "SELECT "+expression+" AS x FROM book")
		v := w.outputType("x")
		got := typeText(v.Type, v.Scale)
		if v.Type == fraction && v.Scale > 0 {
			got = "fraction of 2 digits"
		}
		if v.Null {
			got += " null"
		}
		if got != want {
			t.Errorf("%s is %q, want %q", expression, got, want)
		}
	}
}

func TestTypesThroughQueries(t *testing.T) {
	for statement, want := range map[string]string{
		"WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 5) SELECT x + 0 AS x FROM n":    "number",
		"SELECT t.best + 1 AS x FROM (SELECT author, max(pages) AS best FROM book GROUP BY author) t":             "number null",
		"SELECT b.sold + 1 AS x FROM author a LEFT JOIN book b ON b.author = a.id":                                "number null",
		"SELECT b.sold + 1 AS x FROM author a JOIN book b ON b.author = a.id":                                     "number",
		"SELECT c.sold + 1 AS x FROM author a LEFT JOIN book b ON b.author = a.id JOIN book c ON c.author = a.id": "number",
		"SELECT a.sold + 1 AS x FROM book a RIGHT JOIN author b ON a.author = b.id":                               "number null",
		"SELECT sold + 1 AS x FROM book UNION ALL SELECT pages FROM book":                                         "number null",
		"WITH t AS (SELECT sold AS n FROM book) SELECT n * 2 AS x FROM t":                                         "number",
	} {
		w, _ := judge(t, statement)
		v := w.outputType("x")
		if got := strings.TrimSpace(v.Type + map[bool]string{true: " null"}[v.Null]); got != want {
			t.Errorf("%s\n  is %q, want %q", statement, got, want)
		}
	}
}

func TestNotesAndBypassedCaches(t *testing.T) {
	w, _ := judge(t, "SELECT lower(title) AS x, avg(sold) AS y, nosuch(title) AS z FROM book")
	if got := w.notes(); len(got) != 3 || !strings.Contains(got[0], "lower changes letters on MySQL alone") {
		t.Errorf("notes: %q", got)
	}
	if len(w.bypassed()) > 0 {
		t.Error("reading bypasses a cache")
	}
	for _, statement := range []string{"UPDATE book SET sold = 1", "DELETE FROM book WHERE id = @id", "INSERT INTO book (title) VALUES (@title)", "WITH x AS (SELECT 1) DELETE FROM book", "DELETE FROM author WHERE id = @id"} {
		w, _ := judge(t, statement)
		want := []string{"It writes what page_cache depends on, and removes none of its entries."}
		if strings.HasPrefix(statement, "INSERT") {
			want = append([]string{"It writes book, and wakes no worker."}, want...)
		}
		if got := w.bypassed(); !slices.Equal(got, want) {
			t.Errorf("%s bypasses %q", statement, got)
		}
	}
	for statement, want := range map[string][]string{
		"UPDATE note SET text = @text":                                        {"It changes note, and leaves updated_at as it was: set it to CURRENT_TIMESTAMP."},
		"UPDATE note SET text = @text, updated_at = CURRENT_TIMESTAMP":        nil,
		"UPDATE note SET state = @state, updated_at = CURRENT_TIMESTAMP":      {"It sets state of note, and nothing checks whether its workflow has such a move."},
		"INSERT INTO note (text, state) VALUES (@text, @state)":               nil,
		"WITH x AS (SELECT 1) UPDATE note SET updated_at = CURRENT_TIMESTAMP": nil,
	} {
		w, _ := judge(t, statement)
		if got := w.bypassed(); !slices.Equal(got, want) || !slices.Equal(w.writes(), []string{"note"}) {
			t.Errorf("%s bypasses %q and writes %q", statement, got, w.writes())
		}
	}
	alone := []string{"It sets run_at of job and not hold, so that a job that waits is taken before its time: set that to 'time'."}
	for statement, want := range map[string][]string{
		"UPDATE job SET run_at = @at":                         alone,
		"UPDATE job SET run_at = @at, hold = 'time'":          nil,
		"UPDATE job SET hold = ''":                            nil,
		"INSERT INTO job (run_at) VALUES (@at)":               alone,
		"INSERT INTO job (run_at, hold) VALUES (@at, 'time')": nil,
		"UPDATE page SET text = @text":                        {"It changes page, and leaves version as it was, so that Update overwrites the change: set it to version + 1."},
		"UPDATE page SET text = @text, version = version + 1": nil,
	} {
		if w, _ := judge(t, statement); !slices.Equal(w.bypassed(), want) {
			t.Errorf("%s bypasses %q", statement, w.bypassed())
		}
	}
	if w, _ := judge(t, "SELECT text FROM note"); len(w.writes()) > 0 {
		t.Errorf("reading writes %q", w.writes())
	}
	if w, _ := judge(t, "UPDATE author SET name = @name"); len(w.bypassed()) > 0 {
		t.Error("the authors' writes bypass a cache of books")
	}
}
