package sqlc

import (
	"strings"
	"testing"

	"github.com/hegner123/modulagen/gen/model"
)

// What some databases do not have is refused with what all have, whose values testdata/live states.
func TestConstructs(t *testing.T) {
	covered := map[string]bool{}
	for _, c := range []struct{ row, refused, wrong, accepted string }{
		{"FILTER (WHERE ...)", "SELECT count(*) FILTER (WHERE active) AS x FROM book", "2:17: mysql has no FILTER (WHERE ...)", "SELECT sum(CASE WHEN active THEN 1 ELSE 0 END) AS x FROM book"},
		{"ILIKE", "SELECT id FROM book WHERE title ILIKE @pattern", "2:33: sqlite and mysql have no ILIKE", "SELECT id FROM book WHERE lower(title) LIKE lower(@pattern)"},
		{"RETURNING", "UPDATE book SET sold = 1 RETURNING id", "2:26: mysql has no RETURNING", "UPDATE book SET sold = 1"},
		{"ON CONFLICT", "INSERT INTO book (title) VALUES (@title) ON CONFLICT DO NOTHING", "2:42: mysql has no ON CONFLICT", "INSERT INTO book (title) VALUES (@title)"},
		{"ON DUPLICATE KEY UPDATE", "INSERT INTO book (title) VALUES (@title) ON DUPLICATE KEY UPDATE sold = 1", "2:42: sqlite and postgres have no ON DUPLICATE KEY", ""},
		{"INSERT OR", "INSERT OR IGNORE INTO book (title) VALUES (@title)", "2:1: postgres and mysql have no INSERT OR", ""},
		{"INSERT IGNORE", "INSERT IGNORE INTO book (title) VALUES (@title)", "2:1: sqlite and postgres have no INSERT IGNORE", ""},
		{"REPLACE INTO", "REPLACE INTO book (title) VALUES (@title)", "2:1: postgres has no REPLACE INTO", "UPDATE book SET title = replace(title, 'a', 'b')"},
		{"::", "SELECT sold::bigint AS x FROM book", "2:12: sqlite and mysql have no ::", "SELECT CAST(pages AS bigint) AS x FROM book"},
		{"LIMIT ALL", "SELECT id FROM book LIMIT ALL", "2:21: sqlite and mysql have no LIMIT ALL", "SELECT id FROM book"},
		{"LIMIT with a comma", "SELECT id FROM book ORDER BY id LIMIT 2, 3", "2:33: postgres has no LIMIT with a comma", "SELECT id, (SELECT name FROM author LIMIT 1) AS x, sold FROM book ORDER BY id LIMIT 3 OFFSET 2"},
		{"OFFSET without LIMIT", "SELECT id FROM book ORDER BY id OFFSET 2", "2:33: sqlite and mysql have no OFFSET without LIMIT", "SELECT id FROM book ORDER BY id LIMIT @most OFFSET @skipped"},
		{"FETCH FIRST", "SELECT id FROM book ORDER BY id FETCH FIRST 2 ROWS ONLY", "2:33: sqlite has no FETCH FIRST", "SELECT id FROM book ORDER BY id LIMIT 2"},
		{"DISTINCT ON", "SELECT DISTINCT ON (author) author, id FROM book ORDER BY author, id", "2:8: sqlite and mysql have no DISTINCT ON", "SELECT author, id FROM (SELECT author, id, row_number() OVER (PARTITION BY author ORDER BY id) AS n FROM book) AS ranked WHERE n = 1"},
		{"NULLS FIRST and NULLS LAST", "SELECT id FROM book ORDER BY pages NULLS LAST", "2:36: mysql has no NULLS FIRST and NULLS LAST", "SELECT id FROM book ORDER BY pages IS NULL, pages"},
		{"LATERAL", "SELECT a.id FROM author a CROSS JOIN LATERAL (SELECT 1 AS one) AS t", "2:38: sqlite has no LATERAL", ""},
		{"FOR UPDATE and FOR SHARE", "SELECT id FROM book FOR UPDATE", "2:21: sqlite has no FOR UPDATE", ""},
		{"FULL JOIN", "SELECT a.id FROM author a FULL JOIN book b ON b.author = a.id", "2:27: mysql has no FULL JOIN", "SELECT a.id FROM author a LEFT JOIN book b ON b.author = a.id"},
		{"GLOB", "SELECT id FROM book WHERE title GLOB 'a*'", "2:33: postgres and mysql have no GLOB", "SELECT id FROM book WHERE title LIKE 'a%'"},
		{"REGEXP", "SELECT id FROM book WHERE title NOT REGEXP 'a'", "2:37: sqlite and postgres have no REGEXP", ""},
		{"SIMILAR TO", "SELECT id FROM book WHERE title SIMILAR TO 'a'", "2:33: sqlite and mysql have no SIMILAR TO", ""},
		{"IS DISTINCT FROM", "SELECT id FROM book WHERE pages IS NOT DISTINCT FROM sold", "2:33: mysql has no IS DISTINCT FROM", "SELECT id FROM book WHERE coalesce(pages = sold, pages IS NULL AND sold IS NULL)"},
		{"IS with a value", "SELECT id FROM book WHERE pages IS NOT 5", "2:33: postgres and mysql have no IS with a value", "SELECT id FROM book WHERE pages IS NOT NULL"},
		{"IS with a value", "SELECT id FROM book WHERE pages IS @pages", "2:33: postgres and mysql have no IS with a value", "SELECT id FROM book WHERE active IS TRUE"},
		{"==", "SELECT id FROM book WHERE pages == 5", "2:33: postgres and mysql have no ==", "SELECT id FROM book WHERE pages = 5"},
		{"<=>", "SELECT id FROM book WHERE pages <=> sold", "2:33: sqlite and postgres have no <=>", "SELECT id FROM book WHERE pages <= sold AND pages <> 5"},
		{"BETWEEN SYMMETRIC", "SELECT id FROM book WHERE pages BETWEEN SYMMETRIC 2 AND 1", "2:33: sqlite and mysql have no BETWEEN SYMMETRIC", "SELECT id FROM book WHERE pages BETWEEN 1 AND 2"},
		{"ISNULL and NOTNULL", "SELECT id FROM book WHERE pages NOTNULL", "2:33: mysql has no ISNULL and NOTNULL", ""},
		{"GROUPS and EXCLUDE of a window", "SELECT sum(sold) OVER (ORDER BY id GROUPS 1 PRECEDING) AS x FROM book", "2:36: mysql has no GROUPS", "SELECT sum(sold) OVER (ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS x FROM book"},
		{"UPDATE ... FROM", "UPDATE book SET title = name FROM author WHERE author.id = book.author", "2:30: mysql has no UPDATE ... FROM", "UPDATE book SET title = (SELECT name FROM author WHERE author.id = book.author) WHERE author IN (SELECT id FROM author)"},
		{"UPDATE of joined tables", "UPDATE book JOIN author ON author.id = book.author SET title = name", "2:13: sqlite and postgres have no UPDATE of joined", "UPDATE book SET sold = 1, pages = 2"},
		{"DELETE ... USING", "DELETE FROM book USING author WHERE author.id = book.author", "2:18: sqlite has no DELETE ... USING", "DELETE FROM book WHERE author IN (SELECT a.id FROM author a JOIN book b USING (id))"},
		{"DELETE of joined tables", "DELETE b FROM book b JOIN author a ON a.id = b.author", "2:10: sqlite and postgres have no DELETE of joined tables", ""},
		{"INTERSECT ALL and EXCEPT ALL", "SELECT id FROM book EXCEPT ALL SELECT id FROM author", "2:21: sqlite has no INTERSECT ALL and EXCEPT ALL", "SELECT id FROM book EXCEPT SELECT id FROM author"},
		{"MATERIALIZED", "WITH t AS MATERIALIZED (SELECT id FROM book) SELECT id FROM t", "2:11: mysql has no MATERIALIZED", "WITH t AS (SELECT id FROM book) SELECT id FROM t"},
		{"DEFAULT VALUES", "INSERT INTO book DEFAULT VALUES", "2:18: mysql has no DEFAULT VALUES", ""},
		{"WITH before INSERT, UPDATE or DELETE", "WITH t AS (SELECT id FROM author) DELETE FROM book WHERE author IN (SELECT id FROM t)", "2:1: mysql has no WITH before", "INSERT INTO book (title) SELECT name FROM (SELECT name FROM author) AS t"},
		{"INTERVAL", "SELECT id FROM book WHERE read_at < @at - INTERVAL '1 day'", "2:43: sqlite has no INTERVAL", "SELECT id FROM book WHERE read_at < @at"},
		{"ANY and ALL of a list", "SELECT id FROM book WHERE id = ANY(@ids)", "2:32: sqlite and mysql have no ANY and ALL", "SELECT id FROM book WHERE id IN (sqlc.slice(ids))"},
		{"DIV", "SELECT sold DIV 2 AS x FROM book", "2:13: sqlite and postgres have no DIV", "SELECT sold / 2 AS x FROM book"},
		{"XOR", "SELECT active XOR active AS x FROM book", "2:15: sqlite and postgres have no XOR", "SELECT (active) <> (sold > 1) AS x FROM book"},
		{"", "SELECT json_extract(body, '$.a') AS x FROM book", "2:8: postgres has no function json_extract", "SELECT body FROM book"},
		{"", "SELECT json_group_array(title) AS x FROM book", "2:8: postgres and mysql have no function json_group_array", ""},
		{"", "SELECT json_unquote(body) AS x FROM book", "2:8: sqlite and postgres have no function json_unquote", ""},
		{"", "SELECT jsonb_typeof(body) AS x FROM book", "2:8: sqlite and mysql have no function jsonb_typeof", ""},
		{"", "SELECT hex(title) AS x FROM book", "2:8: postgres has no function hex", "SELECT title FROM book"},
		{"", "SELECT strpos(title, 'a') AS x FROM book", "2:8: sqlite and mysql have no function strpos", "SELECT title AS left, sold AS offset FROM book AS filter"},
		{"", "SELECT left(title, 2) AS x FROM book", "2:8: sqlite has no function left", "SELECT substr(title, 1, 2) AS x FROM book"},
		{"", "SELECT ifnull(pages, 0) AS x FROM book", "2:8: postgres has no function ifnull", "SELECT coalesce(pages, 0) AS x FROM book"},
		{"", "SELECT year(read_at) AS x FROM book", "2:8: sqlite and postgres have no function year", "WITH year(n) AS (SELECT 1) SELECT n FROM year"},
	} {
		covered[c.row] = true
		_, got := judge(t, c.refused)
		if len(got) == 0 || !strings.HasPrefix(got[0].String(), "q.sql:"+c.wrong) || got[0].Hint == "" {
			t.Errorf("%s\n  gives %v\n  want one that says %q", c.refused, got, c.wrong)
		}
		if c.accepted == "" {
			continue
		}
		if _, got := judge(t, c.accepted); len(got) > 0 {
			t.Errorf("%s\n  gives %v", c.accepted, got)
		}
	}
	for _, c := range constructs {
		if !covered[c.name] {
			t.Errorf("no test of %q", c.name)
		}
	}
}

func TestConstructsOfOneDatabase(t *testing.T) {
	for _, c := range []struct {
		statement string
		db        model.Database
		fine      bool
	}{
		{"SELECT count(*) FILTER (WHERE active) AS x FROM book", model.Postgres, true},
		{"SELECT count(*) FILTER (WHERE active) AS x FROM book", model.SQLite, true},
		{"SELECT count(*) FILTER (WHERE active) AS x FROM book", model.MySQL, false},
		{"SELECT id FROM book WHERE title ILIKE @pattern", model.Postgres, true},
		{"SELECT id FROM book WHERE title ILIKE @pattern", model.SQLite, false},
		{"INSERT INTO book (title) VALUES ('a') ON DUPLICATE KEY UPDATE title = 'b'", model.MySQL, true},
		{"INSERT INTO book (title) VALUES ('a') ON DUPLICATE KEY UPDATE title = 'b'", model.Postgres, false},
		{"SELECT ifnull(pages, 0) AS x FROM book", model.SQLite, true},
		{"WITH t AS (SELECT id FROM author) DELETE FROM book WHERE author IN (SELECT id FROM t)", model.MySQL, true},
		{"UPDATE book JOIN author ON author.id = book.author SET book.title = name", model.MySQL, true},
		{"UPDATE book SET title = name FROM author WHERE author.id = book.author", model.Postgres, true},
	} {
		if _, got := judge(t, c.statement, c.db); (len(got) == 0) != c.fine {
			t.Errorf("%s: %s gives %v", c.db, c.statement, got)
		}
	}
}
