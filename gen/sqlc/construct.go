package sqlc

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hegner123/modulagen/gen/model"
)

// construct is SQL that some databases do not have: a row of the table below. What all have, and
// what does not mean the same on them, is in differ.go.
type construct struct {
	name    string                    // as the message has it
	lacking []model.Database          // of MySQL and MariaDB, both
	stands  func(s scope, i int) bool // whether it begins at a token
	instead string                    // what works on all of them
	alone   bool                      // a file for one database may have it: MySQL does, MariaDB does not
}

var (
	notLite     = []model.Database{model.Postgres, model.MySQL}
	notPostgres = []model.Database{model.SQLite, model.MySQL}
	notMySQL    = []model.Database{model.SQLite, model.Postgres}
)

// constructs are what a database, or the parser that sqlc has for it, refuses with an error that
// says no more than where. Each has its test, as the differences do.
var constructs = []construct{
	{"FILTER (WHERE ...)", mysql, func(s scope, i int) bool { return s.word(i) == "filter" && s.is(i-1, ")") && s.is(i+1, "(") }, "write sum(CASE WHEN ... THEN 1 ELSE 0 END) for a number of rows, sum(CASE WHEN ... THEN x END) for a sum", false},
	{"ILIKE", notPostgres, phrase("ilike"), "write lower(x) LIKE lower(@pattern)", false},
	{"RETURNING", mysql, phrase("returning"), "Create and Update return the row; else read it with a second query, in db.Tx", false},
	{"ON CONFLICT", mysql, phrase("on", "conflict"), "UpsertByX of a datatype does this on every database, by the unique key X; or put the query into a file for each database, with ON DUPLICATE KEY UPDATE for mysql", false},
	{"ON DUPLICATE KEY UPDATE", notMySQL, phrase("on", "duplicate", "key"), "UpsertByX of a datatype does this on every database, by the unique key X; or put the query into a file for each database, with ON CONFLICT for the others", false},
	{"INSERT OR", notLite, phrase("insert", "or"), "UpsertByX of a datatype does this on every database; or put the query into a file for each database", false},
	{"INSERT IGNORE", notMySQL, phrase("insert", "ignore"), "Create returns a *store.ConflictError that can be passed over; or put the query into a file for each database, with ON CONFLICT DO NOTHING for the others", false},
	{"REPLACE INTO", postgres, phrase("replace", "into"), "UpsertByX of a datatype does this on every database, and keeps the row's id", false},
	{"::", notPostgres, func(s scope, i int) bool { return s.is(i, "::") }, "write CAST(x AS bigint)", false},
	{"LIMIT ALL", notPostgres, phrase("limit", "all"), "leave it out", false},
	{"LIMIT with a comma", postgres, limitComma, "write LIMIT @most OFFSET @skipped", false},
	{"OFFSET without LIMIT", notPostgres, offsetAlone, "write LIMIT @most before it", false},
	{"FETCH FIRST", lite, func(s scope, i int) bool {
		return s.word(i) == "fetch" && (s.word(i+1) == "first" || s.word(i+1) == "next")
	}, "write LIMIT @most", false},
	{"DISTINCT ON", notPostgres, func(s scope, i int) bool { return phrase("distinct", "on")(s, i) && s.is(i+2, "(") }, "number the rows of each group, row_number() OVER (PARTITION BY x ORDER BY y) AS n, in a subquery, and keep those WHERE n = 1", false},
	{"NULLS FIRST and NULLS LAST", mysql, func(s scope, i int) bool {
		return s.word(i) == "nulls" && (s.word(i+1) == "first" || s.word(i+1) == "last")
	}, "leave it out: nulls come first, and last where the order descends; for the other way round, write ORDER BY x IS NULL, x", false},
	{"LATERAL", lite, phrase("lateral"), "write a subquery among the values, or number the rows of each group with row_number()", false},
	{"FOR UPDATE and FOR SHARE", lite, func(s scope, i int) bool {
		return s.word(i) == "for" && slices.Contains([]string{"update", "share", "no", "key"}, s.word(i+1))
	}, "GetForUpdate and ListForUpdate in db.Tx lock rows on every database", false},
	{"FULL JOIN", mysql, func(s scope, i int) bool {
		return phrase("full", "join")(s, i) || phrase("full", "outer", "join")(s, i)
	}, "write a LEFT JOIN, and behind UNION ALL the rows of the other table that it has no row for", false},
	{"GLOB", notLite, operand("glob"), "write LIKE, or match in Go", false},
	{"REGEXP", notMySQL, operand("regexp", "rlike"), "write LIKE, or match in Go", false},
	{"SIMILAR TO", notPostgres, phrase("similar", "to"), "write LIKE, or match in Go", false},
	{"IS DISTINCT FROM", mysql, func(s scope, i int) bool {
		return s.word(i) == "is" && (phrase("distinct", "from")(s, i+1) || phrase("not", "distinct", "from")(s, i+1))
	}, "write NOT coalesce(a = b, a IS NULL AND b IS NULL); without NOT for what is not distinct", false},
	{"IS with a value", notLite, isValue, "write =", false},
	{"==", notLite, func(s scope, i int) bool { return s.is(i, "=") && s.is(i+1, "=") && s.code[i+1].at == s.code[i].at+1 }, "write =", false},
	{"<=>", notMySQL, func(s scope, i int) bool { return s.is(i, "<") && s.is(i+1, "=") && s.is(i+2, ">") }, "write coalesce(a = b, a IS NULL AND b IS NULL)", false},
	{"BETWEEN SYMMETRIC", notPostgres, phrase("between", "symmetric"), "write the lower bound first", false},
	{"ISNULL and NOTNULL", mysql, func(s scope, i int) bool {
		return (s.word(i) == "isnull" || s.word(i) == "notnull") && !s.is(i+1, "(") && i > 0 && s.word(i-1) != "as"
	}, "write IS NULL or IS NOT NULL", false},
	{"GROUPS and EXCLUDE of a window", mysql, frame, "write ROWS or RANGE", false},
	{"UPDATE ... FROM", mysql, updateFrom, "write SET x = (SELECT ...) WHERE id IN (SELECT ...)", false},
	{"UPDATE of joined tables", notMySQL, updateJoined, "write SET x = (SELECT ...) WHERE id IN (SELECT ...)", false},
	{"DELETE ... USING", lite, deleteUsing, "write DELETE FROM a WHERE id IN (SELECT ...)", false},
	{"DELETE of joined tables", notMySQL, deleteJoined, "write DELETE FROM a WHERE id IN (SELECT ...)", false},
	{"INTERSECT ALL and EXCEPT ALL", lite, func(s scope, i int) bool { return phrase("intersect", "all")(s, i) || phrase("except", "all")(s, i) }, "leave ALL out, where each row stands once in the result", false},
	{"MATERIALIZED", mysql, materialized, "leave it out", false},
	{"DEFAULT VALUES", mysql, phrase("default", "values"), "name a column and its value", false},
	{"WITH before INSERT, UPDATE or DELETE", mysql, withBefore, "write the WITH's query as a subquery: INSERT INTO a (b) SELECT c FROM (SELECT ...) AS t", true},
	{"INTERVAL", lite, func(s scope, i int) bool {
		return s.word(i) == "interval" && !s.is(i-1, ".") && (i+1 < len(s.code) && s.code[i+1].kind == str || s.isNumber(i+1))
	}, "calculate the time in Go, and pass it as a parameter", false},
	{"ANY and ALL of a list", notPostgres, anyList, "write id IN (sqlc.slice(ids)), or NOT IN", false},
	{"DIV", notMySQL, operand("div"), "write a / b, which is whole where a and b are", false},
	{"XOR", notMySQL, operand("xor"), "write (a) <> (b)", false},
}

// phrase is a construct that begins with some words.
func phrase(list ...string) func(s scope, i int) bool {
	return func(s scope, i int) bool {
		for n, w := range list {
			if s.word(i+n) != w || s.code[i+n].kind != word {
				return false
			}
		}
		return !s.is(i-1, ".") && s.word(i-1) != "as"
	}
}

// operand is an operator that is a word, and neither a name nor a function.
func operand(list ...string) func(s scope, i int) bool {
	return func(s scope, i int) bool {
		w := s.word(i)
		if !slices.Contains(list, w) || s.code[i].kind != word || i == 0 || i+1 >= len(s.code) || s.is(i-1, ".") || s.is(i+1, ",") || s.is(i+1, ")") || s.is(i+1, ".") {
			return false
		}
		before := s.code[i-1]
		return before.kind == word && !notAlias[s.word(i-1)] && s.word(i-1) != "as" || before.kind == quoted || before.kind == str || before.text == ")"
	}
}

func (s scope) isNumber(i int) bool {
	return i >= 0 && i < len(s.code) && s.code[i].kind == word && isDigit(s.code[i].text[0])
}

// level moves from i in steps over the tokens of the same level of brackets, until visit returns
// false or the brackets around it end.
func (s scope) level(i, step int, visit func(i int) bool) {
	depth := 0
	for i += step; i >= 0 && i < len(s.code); i += step {
		switch s.code[i].text {
		case "(", ")":
			if (s.code[i].text == "(") == (step > 0) {
				depth++
			} else if depth--; depth < 0 {
				return
			}
			continue
		}
		if depth == 0 && !visit(i) {
			return
		}
	}
}

// verb returns what the statement that i stands in begins with, and where: of its brackets, and of
// the arm of a UNION.
func (s scope) verb(i int) (verb string, at int) {
	s.level(i, -1, func(j int) bool {
		switch w := s.word(j); w {
		case "select", "insert", "delete", "values":
			verb, at = w, j
		case "update":
			if s.word(j-1) != "for" && s.word(j-1) != "do" && s.word(j-1) != "key" {
				verb, at = w, j
			}
		}
		return verb == ""
	})
	return verb, at
}

// follows reports whether a word stands behind i in the same brackets.
func (s scope) follows(i int, words ...string) bool {
	found := false
	s.level(i, 1, func(j int) bool {
		found = slices.Contains(words, s.word(j))
		return !found
	})
	return found
}

func limitComma(s scope, i int) bool {
	if s.word(i) != "limit" || s.is(i-1, ".") {
		return false
	}
	comma := false
	s.level(i, 1, func(j int) bool {
		comma = s.is(j, ",")
		return !comma && s.word(j) != "offset" && s.word(j) != "union"
	})
	return comma
}

func offsetAlone(s scope, i int) bool {
	if s.word(i) != "offset" || s.word(i-1) == "as" || s.is(i-1, ".") || s.is(i+1, ",") || s.is(i+1, ")") || s.is(i-1, ",") || i == 0 || i+1 == len(s.code) || s.word(i-1) == "select" {
		return false
	}
	alone := true
	s.level(i, -1, func(j int) bool {
		alone = s.word(j) != "limit"
		return alone && s.word(j) != "select"
	})
	return alone && !s.follows(i, "limit") && !s.follows(i, "fetch")
}

// isValue is IS with what is neither NULL nor a truth value; a column may be one.
func isValue(s scope, i int) bool {
	if s.word(i) != "is" || s.code[i].kind != word {
		return false
	}
	if i++; s.word(i) == "not" {
		i++
	}
	if i >= len(s.code) {
		return false
	}
	_, _, isParameter := parameter(s.code[i:])
	return isParameter || s.code[i].kind == str || s.isNumber(i)
}

func frame(s scope, i int) bool {
	switch s.word(i) {
	case "groups":
		return slices.Contains([]string{"between", "unbounded", "current"}, s.word(i+1)) || s.isNumber(i+1)
	case "exclude":
		return slices.Contains([]string{"current", "group", "ties", "no"}, s.word(i+1))
	}
	return false
}

func updateFrom(s scope, i int) bool {
	if s.word(i) != "from" || s.word(i-1) == "distinct" {
		return false
	}
	verb, _ := s.verb(i)
	return verb == "update"
}

// updateJoined is a JOIN, or a comma, between UPDATE and SET.
func updateJoined(s scope, i int) bool {
	if s.word(i) != "join" && !s.is(i, ",") {
		return false
	}
	verb, at := s.verb(i)
	if verb != "update" {
		return false
	}
	set := false
	s.level(i, -1, func(j int) bool {
		set = s.word(j) == "set"
		return !set && j > at
	})
	return !set && s.follows(i, "set")
}

func deleteUsing(s scope, i int) bool {
	verb, at := s.verb(i)
	return verb == "delete" && s.word(i) == "using" && s.word(at+1) == "from" && !s.is(i+1, "(")
}

// deleteJoined is MySQL's DELETE a FROM a JOIN b.
func deleteJoined(s scope, i int) bool {
	verb, at := s.verb(i)
	return verb == "delete" && s.word(i) == "from" && at < i-1 && s.word(i-1) != "distinct" && s.word(at+1) != "from"
}

func withBefore(s scope, i int) bool {
	if s.word(i) != "with" || i > 0 && !s.is(i-1, "(") {
		return false
	}
	found := false
	s.level(i, 1, func(j int) bool {
		w := s.word(j)
		found = w == "insert" || w == "update" || w == "delete"
		return !found && w != "select" && w != "values"
	})
	return found
}

// materialized stands between AS and the query of a WITH.
func materialized(s scope, i int) bool {
	return s.word(i) == "materialized" && s.is(i+1, "(") && (s.word(i-1) == "as" || s.word(i-1) == "not")
}

// anyList is ANY(@ids), and not ANY (SELECT ...), which SQLite alone lacks.
func anyList(s scope, i int) bool {
	switch s.word(i) {
	case "any", "some", "all":
		return s.is(i+1, "(") && s.word(i+2) != "select" && i > 0 && s.code[i-1].kind == other
	case "array":
		return s.is(i+1, "[")
	}
	return false
}

// lacks reports the constructs and the functions that a database of the query does not have.
func (q *written) lacks() {
	s := scope{code: q.code()}
	report := func(i int, name, instead string, lacking []model.Database) {
		on := slices.DeleteFunc(slices.Clone(lacking), func(db model.Database) bool { return !slices.Contains(q.file.Databases, db) })
		if len(on) == 0 {
			return
		}
		have := "has"
		if len(on) > 1 {
			have = "have"
		}
		names := make([]string, len(on))
		for n, db := range on {
			names[n] = string(db)
		}
		q.mistakeOnce(s.code[i].at, instead, fmt.Sprintf("%s %s no %s", strings.Join(names, " and "), have, name))
		q.unhad = true
	}
	for i := range s.code {
		for _, c := range constructs {
			if c.stands(s, i) && !(c.alone && len(q.file.Databases) == 1) {
				report(i, c.name, c.instead, c.lacking)
			}
		}
		if f, ok := lacked[s.word(i)]; ok && s.code[i].kind == word && s.is(i+1, "(") && !s.is(i-1, ".") && !s.declares(i) {
			report(i, "function "+s.word(i), f.instead, f.lacking)
		}
	}
}

// declares reports whether a name with brackets behind it is a table's or a WITH's, and no function.
func (s scope) declares(i int) bool {
	return slices.Contains([]string{"into", "with", "recursive", "as", "from", "join", "table"}, s.word(i-1)) || s.is(i-1, ",") && s.word(s.closing(i+1)+1) == "as" && s.is(s.closing(i+1)+2, "(")
}
