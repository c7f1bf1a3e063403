package sqlc_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/hegner123/modulagen/gen/mistake"
	"github.com/hegner123/modulagen/gen/model"
)

func TestUserMistakes(t *testing.T) {
	for _, c := range []struct {
		name  string
		files []*model.UserFile
		want  []string // beginnings of the mistakes, in order
	}{
		{"unknown column", []*model.UserFile{shared("-- name: A :many\nSELECT id,\n  titel FROM article;\n")}, []string{`queries/q.sql:3:3: column "titel" does not exist`}},
		{"unknown table", []*model.UserFile{shared("-- name: A :many\nSELECT id FROM articel;\n")}, []string{`queries/q.sql:2:16: relation "articel" does not exist`}},
		{"syntax", []*model.UserFile{shared("-- name: A :many\nSELECT id FORM article;\n")}, []string{`queries/q.sql:2:16: syntax error at or near "article"`}},
		{"after a parameter", []*model.UserFile{shared("-- name: A :many\nSELECT id FROM article WHERE title = sqlc.arg(title) AND scor = 1;\n")}, []string{`queries/q.sql:2:58: sqlite: no such column: scor`}},
		{"after a comment", []*model.UserFile{shared("-- name: A :many\nSELECT id /* é\n é */ , scor FROM article;\n")}, []string{`queries/q.sql:3:9: column "scor" does not exist`}},
		{"sqlite only", []*model.UserFile{
			only(model.SQLite, "-- name: A :many\nSELECT id, nosuch(title) AS x FROM article;\n"),
			only(model.Postgres, "-- name: A :many\nSELECT id, upper(title) AS x FROM article;\n"),
			only(model.MySQL, "-- name: A :many\nSELECT id, upper(title) AS x FROM article;\n"),
		}, []string{`queries/q.sqlite.sql:2:12: no such function: nosuch`}},
		{"two at once", []*model.UserFile{shared("-- name: A :many\nSELECT titel FROM article;\n-- name: B :one\nSELECT nam FROM author;\n")}, []string{
			`queries/q.sql:2:8: column "titel" does not exist`,
			`queries/q.sql:4:8: column "nam" does not exist`,
		}},
		{"no name", []*model.UserFile{shared("SELECT 1;\n")}, []string{"queries/q.sql:1:1: a statement without a name"}},
		{"half a name", []*model.UserFile{shared("-- name: A\nSELECT 1;\n")}, []string{"queries/q.sql:1:1: this line does not name a query"}},
		{"no colon", []*model.UserFile{shared("-- name A :one\nSELECT 1;\n")}, []string{"queries/q.sql:1:1: this line does not name a query"}},
		{"command", []*model.UserFile{shared("-- name: A :batchmany\nSELECT 1;\n")}, []string{`queries/q.sql:1:12: unknown command ":batchmany"`}},
		{"lower case", []*model.UserFile{shared("-- name: topAuthors :one\nSELECT 1;\n")}, []string{`queries/q.sql:1:10: "topAuthors" cannot be the name of a Go method`}},
		{"no end", []*model.UserFile{shared("-- name: A :one\nSELECT id FROM article -- all\n\n-- name: B :one\nSELECT id FROM article")}, []string{
			"queries/q.sql:2:23: the query A has no end",
			"queries/q.sql:5:23: the query B has no end",
		}},
		{"empty", []*model.UserFile{shared("-- name: A :one\n;\n")}, []string{"queries/q.sql:2:1: the query A is empty"}},
		{"open quote", []*model.UserFile{shared("-- name: A :one\nSELECT 'x FROM article;\n")}, []string{"queries/q.sql:2:8: the quote ' is never closed"}},
		{"open comment", []*model.UserFile{shared("-- name: A :one\nSELECT /* x FROM article;\n")}, []string{"queries/q.sql:2:8: the comment /* is never closed"}},
		{"positional", []*model.UserFile{shared("-- name: A :one\nSELECT id FROM article WHERE id = ? OR id = $1;\n")}, []string{
			"queries/q.sql:2:35: the parameter ? has no name", "queries/q.sql:2:45: the parameter $1 has no name",
		}},
		{"slice", []*model.UserFile{shared("-- name: A :many\nSELECT id FROM article WHERE id = sqlc.slice(ids);\n")}, []string{"queries/q.sql:2:35: sqlc.slice stands alone in the brackets of an IN"}},
		{"slice beside another", []*model.UserFile{shared("-- name: A :many\nSELECT id FROM article WHERE id IN (sqlc.slice(ids), @id);\n")}, []string{"queries/q.sql:2:37: sqlc.slice stands alone in the brackets of an IN"}},
		{"slice of rows", []*model.UserFile{shared("-- name: A :many\nSELECT id FROM article WHERE (id, score) IN (sqlc.slice(ids));\n")}, []string{"queries/q.sql:2:46: sqlc.slice stands alone in the brackets of an IN"}},
		{"slice and value", []*model.UserFile{shared("-- name: A :many\nSELECT id FROM article WHERE id IN (sqlc.slice(ids)) OR id = @ids;\n")}, []string{"queries/q.sql:2:37: the parameter ids is a list and a value"}},
		{"slice of what is unknown", []*model.UserFile{shared("-- name: A :many\nSELECT id FROM article WHERE NULL IN (sqlc.slice(ids));\n")}, []string{"queries/q.sql:2:39: the type of the parameter ids is not known"}},
		{"embed of what is not there", []*model.UserFile{shared("-- name: A :many\nSELECT sqlc.embed(article) FROM article a;\n")}, []string{"queries/q.sql:2:8: the query A has no table article"}},
		{"embed in a subquery", []*model.UserFile{shared("-- name: A :many\nSELECT t.id FROM (SELECT sqlc.embed(article) FROM article) t;\n")}, []string{"queries/q.sql:2:26: sqlc.embed is one of the values that the query returns"}},
		{"embed of a subquery", []*model.UserFile{shared("-- name: A :many\nSELECT sqlc.embed(t) FROM (SELECT id FROM article) t;\n")}, []string{"queries/q.sql:2:8: t is no datatype with rows of its own"}},
		{"embed in a union", []*model.UserFile{shared("-- name: A :many\nSELECT sqlc.embed(a) FROM article a UNION SELECT sqlc.embed(a) FROM article a;\n")}, []string{"queries/q.sql:2:8: sqlc.embed does not work with UNION", "queries/q.sql:2:50: sqlc.embed is one of the values"}},
		{"embed twice", []*model.UserFile{shared("-- name: A :many\nSELECT sqlc.embed(a), sqlc.embed(b) FROM article a JOIN article b ON a.id = b.score;\n")}, []string{"queries/q.sql:1:1: the columns article and article of the query A have the same Go name"}},
		{"embed of two", []*model.UserFile{shared("-- name: A :many\nSELECT sqlc.embed(a, b) FROM article a;\n")}, []string{"queries/q.sql:2:8: sqlc.embed takes one table"}},
		{"unknown function of sqlc", []*model.UserFile{shared("-- name: A :many\nSELECT sqlc.table(a) FROM article a;\n")}, []string{"queries/q.sql:2:8: sqlc.table is not known"}},
		{"other rows", []*model.UserFile{
			only(model.SQLite, "-- name: A :many\nSELECT sqlc.embed(article) FROM article;\n"),
			only(model.Postgres, "-- name: A :many\nSELECT article.*, 1 AS one FROM article;\n"),
			only(model.MySQL, "-- name: A :many\nSELECT article.*, 1 AS one FROM article;\n"),
		}, []string{"queries/q.sqlite.sql:1:1: the query A gives the columns"}},
		{"rows that are not embedded everywhere", []*model.UserFile{
			only(model.SQLite, "-- name: A :many\nSELECT sqlc.embed(article), 1 AS one FROM article;\n"),
			only(model.Postgres, "-- name: A :many\nSELECT article.*, 1 AS one FROM article;\n"),
			only(model.MySQL, "-- name: A :many\nSELECT article.*, 1 AS one FROM article;\n"),
		}, []string{"queries/q.sqlite.sql:1:1: the query A returns other rows here"}},
		{"row that is not the same", []*model.UserFile{shared("-- name: A :many\n-- row: Both\nSELECT id, title FROM article;\n-- name: B :many\n-- row: Both\nSELECT id, score FROM article;\n-- name: C :many\n-- row: Both\nSELECT id FROM article;\n-- name: D :many\n-- row: Both\nSELECT id, title, score FROM article;\n")}, []string{
			"queries/q.sql:5:1: the row Both of the query B is not that of A: column 2 is Score (number) here and Title (text) there",
			"queries/q.sql:8:1: the query C returns one value",
			"queries/q.sql:11:1: the row Both of the query D is not that of A: it has the column score too",
		}},
		{"row of another name", []*model.UserFile{shared("-- name: A :many\n-- row: both\nSELECT id, title FROM article;\n")}, []string{`queries/q.sql:2:1: "both" cannot be the name of a Go type`}},
		{"row of a taken name", []*model.UserFile{shared("-- name: A :many\n-- row: BRow\nSELECT id, title FROM article;\n-- name: B :many\nSELECT id, title FROM article;\n")}, []string{"queries/q.sql:4:1: the query B needs the Go name BRow, which the query A has"}},
		{"filter", []*model.UserFile{shared("-- name: A :one\nSELECT count(*) FILTER (WHERE score > 1) AS n FROM article;\n")}, []string{"queries/q.sql:2:17: mysql has no FILTER (WHERE ...)"}},
		{"function of one database", []*model.UserFile{shared("-- name: A :many\nSELECT left(title, 2) AS t FROM article;\n")}, []string{"queries/q.sql:2:8: sqlite has no function left"}},
		{"bad arg", []*model.UserFile{shared("-- name: A :many\nSELECT id FROM article WHERE id = sqlc.arg(1, 2);\n")}, []string{"queries/q.sql:2:35: sqlc.arg takes one name"}},
		{"not ascii", []*model.UserFile{shared("-- name: A :many\nSELECT id FROM article WHERE title = 'é';\n")}, []string{"queries/q.sql:2:39: a query may hold ASCII characters only"}},
		{"or", []*model.UserFile{shared("-- name: A :many\nSELECT title || 'x' AS t FROM article;\n")}, []string{"queries/q.sql:2:14: mysql reads || as OR"}},
		{"backslash", []*model.UserFile{shared("-- name: A :many\nSELECT id FROM article WHERE title = 'a\\';\n")}, []string{`queries/q.sql:2:38: \ in a string means one thing to mysql`}},
		{"now", []*model.UserFile{shared("-- name: A :many\nSELECT id FROM article WHERE created_at < now() AND created_at > datetime('now', '-1 day');\n-- name: B :exec\nUPDATE article SET created_at = strftime('%Y-%m-%dT%H:%M:%f000Z', 'now'), score = unixepoch() WHERE created_at < LOCALTIMESTAMP OR created_at > CURRENT_TIMESTAMP(6);\n")}, []string{
			"queries/q.sql:2:43: now is not the time as it is stored on every database", "queries/q.sql:2:66: datetime is not the time",
			"queries/q.sql:4:33: strftime is not the time", "queries/q.sql:4:83: unixepoch is not the time", "queries/q.sql:4:114: LOCALTIMESTAMP is not the time",
			"queries/q.sql:4:162: CURRENT_TIMESTAMP takes no brackets",
		}},
		{"now on one database", []*model.UserFile{
			only(model.SQLite, "-- name: A :many\nSELECT id FROM article WHERE created_at < strftime('%Y-%m-%dT%H:%M:%f000Z', 'now', '-1 hour') AND created_at > datetime('now');\n"),
			only(model.Postgres, "-- name: A :many\nSELECT id FROM article WHERE created_at < now() - interval '1 hour' AND created_at > localtimestamp;\n"),
			only(model.MySQL, "-- name: A :many\nSELECT id FROM article WHERE created_at < now(6) - interval 1 hour AND created_at > now();\n"),
		}, []string{
			"queries/q.mysql.sql:2:85: now is not the time", "queries/q.postgres.sql:2:86: localtimestamp is not the time",
			"queries/q.sqlite.sql:2:112: datetime is not the time as it is stored on sqlite",
		}},
		{"transaction", []*model.UserFile{shared("-- name: Begin :exec\nBEGIN;\n")}, []string{"queries/q.sql:2:1: a query starts with SELECT, INSERT, UPDATE, DELETE, REPLACE, WITH or VALUES, not with BEGIN"}},
		{"twice", []*model.UserFile{shared("-- name: A :many\nSELECT id FROM article;\n-- name: A :many\nSELECT id FROM author;\n")}, []string{"queries/q.sql:3:1: the query A stands twice for sqlite, first at queries/q.sql:1"}},
		{"missing", []*model.UserFile{only(model.SQLite, "-- name: A :many\nSELECT id FROM article;\n")}, []string{"queries/q.sqlite.sql:1:1: the query A is missing for postgres and mysql"}},
		{"nothing returned", []*model.UserFile{shared("-- name: A :one\nDELETE FROM article;\n")}, []string{"queries/q.sql:2:1: query \"A\" specifies parameter"}},
		{"unknown type", []*model.UserFile{shared("-- name: A :one\nSELECT avg(score) AS mean FROM article;\n")}, []string{"queries/q.sql:2:22: no database tells the type of the column mean of the query A"}},
		{"two types", []*model.UserFile{shared("-- name: A :many\nSELECT id FROM article WHERE title = @x OR score = @x;\n")}, []string{"queries/q.sql:2:38: the parameter x stands for a text and for a number"}},
		{"untyped parameter", []*model.UserFile{shared("-- name: A :many\nSELECT id FROM article WHERE @x IS NULL;\n")}, []string{"queries/q.sql:2:30: the type of the parameter x is not known"}},
		{"same column", []*model.UserFile{shared("-- name: A :many\nSELECT a.id, w.id FROM article a JOIN author w ON w.id = a.author;\n")}, []string{"queries/q.sql:1:1: the columns id and id of the query A have the same Go name"}},
		{"column's name", []*model.UserFile{shared("-- name: A :many\nSELECT title AS \"the title\" FROM article;\n")}, []string{`queries/q.sql:1:1: the column "the title" of the query A cannot be`}},
		{"parameters alike", []*model.UserFile{shared("-- name: A :many\nSELECT id FROM article WHERE title = @my_title OR title = @myTitle;\n")}, []string{"queries/q.sql:2:59: the parameters my_title and myTitle have the same Go name"}},
		{"function without a name", []*model.UserFile{shared("-- name: A :many\nSELECT title, count(*) FROM article GROUP BY title;\n")}, nil},
		{"bad declaration", []*model.UserFile{shared("-- name: A :many\n-- column: n whatever\nSELECT count(*) AS n FROM article;\n")}, []string{"queries/q.sql:2:1: this line does not declare a type"}},
		{"unused declaration", []*model.UserFile{shared("-- name: A :many\n-- column: m number\nSELECT count(*) AS n FROM article;\n")}, []string{"queries/q.sql:2:1: the query A has no column m"}},
		{"declaration above", []*model.UserFile{shared("-- column: n number\n-- name: A :many\nSELECT count(*) AS n FROM article;\n")}, []string{"queries/q.sql:1:1: this line belongs below the query's name"}},
		{"decimal literal", []*model.UserFile{shared("-- name: A :many\nSELECT id FROM article WHERE price > 10 AND 2.5 <= price AND price IN (0, 3) AND price BETWEEN @x AND -7;\n")}, []string{
			"queries/q.sql:2:38: 10 does not mean the same on all databases: sqlite keeps the decimal price as a whole number, where that is 0.10",
			"queries/q.sql:2:45: 2.5 does not mean the same", "queries/q.sql:2:75: 3 does not mean the same", "queries/q.sql:2:103: -7 does not mean",
		}},
		{"decimal written", []*model.UserFile{shared("-- name: A :exec\nUPDATE article SET price = 3, score = 4;\n-- name: B :exec\nINSERT INTO article (title, score, created_at, price) VALUES ('x', 3, @at, 4);\n")}, []string{
			"queries/q.sql:2:28: 3 does not mean the same", "queries/q.sql:4:76: 4 does not mean the same",
		}},
		{"decimal on postgres", []*model.UserFile{
			only(model.SQLite, "-- name: A :many\nSELECT id FROM article WHERE price > @x;\n"),
			only(model.Postgres, "-- name: A :many\nSELECT id FROM article WHERE price > @x AND price > 10;\n"),
			only(model.MySQL, "-- name: A :many\nSELECT id FROM article WHERE price > @x AND price > 10;\n"),
		}, nil},
		{"having", []*model.UserFile{shared("-- name: A :many\nSELECT author FROM article GROUP BY author HAVING max(article.price) > 10 AND count(price) > 10;\n")}, []string{"queries/q.sql:2:72: 10 does not mean the same"}},
		{"no option", []*model.UserFile{shared("-- name: A :many\nSELECT id FROM article a WHERE a.status = 'drft' OR a.status = 'live';\n")}, []string{"queries/q.sql:2:43: status has no option 'drft'"}},
		{"datetime literal", []*model.UserFile{shared("-- name: A :many\nSELECT id FROM article WHERE created_at > '2026-01-01 00:00:00';\n")}, []string{"queries/q.sql:2:43: '2026-01-01 00:00:00' does not mean the same"}},
		{"number for a decimal", []*model.UserFile{shared("-- name: A :one\n-- column: m number null\n-- column: n number null\nSELECT max(price) AS m, sum(price * score) AS n, count(price) AS c FROM article;\n")}, []string{
			"queries/q.sql:2:1: the column m of the query A is of type decimal(2)",
			"queries/q.sql:3:1: the column n of the query A is of type decimal(2)",
		}},
		{"decimal arithmetic", []*model.UserFile{shared("-- name: A :one\nSELECT sum(price * score) AS n FROM article;\n")}, nil},
		{"decimal of a fraction", []*model.UserFile{shared("-- name: A :one\nSELECT sum(price * 1.5) AS n FROM article;\n")}, []string{"queries/q.sql:2:28: no database tells the type of the column n"}},
		{"a fraction declared a number", []*model.UserFile{shared("-- name: A :one\n-- column: n number\nSELECT avg(score) AS n FROM article;\n")}, []string{"queries/q.sql:2:1: the column n of the query A is a fraction"}},
		{"rehearsed null", []*model.UserFile{shared("-- name: A :many\n-- column: n textarea\nSELECT id,\n  lower(bio) AS n FROM author;\n")}, []string{"queries/q.sql:2:1: the column n of the query A cannot be read: it may be null"}},
		{"parameter in the list", []*model.UserFile{shared("-- name: A :many\nSELECT coalesce(title, @other) AS t FROM article;\n")}, []string{"queries/q.sql:2:8: a parameter cannot stand in the column t"}},
		{"word of a grammar", []*model.UserFile{shared("-- name: A :many\nSELECT max(id) last FROM article;\n")}, []string{"queries/q.sql:2:1: sqlite: it cannot be parsed here"}},
		{"Go name", []*model.UserFile{shared("-- name: A :many\nSELECT count(*) AS n FROM article;\n")}, nil},
		{"other columns", []*model.UserFile{
			only(model.SQLite, "-- name: A :many\nSELECT id, title FROM article;\n"),
			only(model.Postgres, "-- name: A :many\nSELECT id FROM article;\n"),
			only(model.MySQL, "-- name: A :many\nSELECT id FROM article;\n"),
		}, []string{"queries/q.sqlite.sql:1:1: the query A gives the columns id, title on sqlite and id on postgres"}},
		{"other parameters", []*model.UserFile{
			only(model.SQLite, "-- name: A :many\nSELECT id FROM article WHERE id = @x;\n"),
			only(model.Postgres, "-- name: A :many\nSELECT id FROM article WHERE id = @y;\n"),
			only(model.MySQL, "-- name: A :many\nSELECT id FROM article WHERE id = @y;\n"),
		}, []string{"queries/q.sqlite.sql:1:1: the query A has the parameters x on sqlite and y on postgres"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := analyser(t).Run(t.Context(), project(c.files...))
			if c.want == nil {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			var list mistake.List
			if !errors.As(err, &list) {
				t.Fatalf("no mistakes: %v", err)
			}
			for i, m := range list {
				if i >= len(c.want) || !strings.HasPrefix(m.String(), c.want[i]) {
					t.Errorf("unexpected:\n%s", m)
				}
			}
			if len(list) < len(c.want) {
				t.Errorf("missing: %v", c.want[len(list):])
			}
		})
	}
}
