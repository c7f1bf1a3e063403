package sqlc

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/check"
)

// castType is a type that CAST takes on every database, under some names.
type castType struct {
	names  []string
	result string // the type of the value
	as     map[model.Database]string
	// takes are the kinds of values that become the same on every database.
	takes []check.Kind
}

// castTypes are written for each database so that they mean the same: PostgreSQL's real has 32
// bits and its char one character, MySQL has none of these names but char and double, and MariaDB no real.
var castTypes = []castType{
	{
		[]string{"bigint", "integer", "int", "int8", "signed", "signed integer"},
		"number",
		map[model.Database]string{model.SQLite: "integer", model.Postgres: "bigint", model.MySQL: "SIGNED"},
		[]check.Kind{check.Int},
	},
	{
		[]string{"text", "char", "varchar", "character varying", "character"},
		"textarea",
		map[model.Database]string{model.SQLite: "text", model.Postgres: "text"},
		[]check.Kind{check.Int, check.Text},
	},
	{
		[]string{"real", "double", "double precision", "float", "float8"},
		float,
		map[model.Database]string{model.SQLite: "real", model.Postgres: "double precision", model.MySQL: "DOUBLE"},
		[]check.Kind{check.Int, check.Float},
	},
}

// castWords are the tokens of the type of CAST(x AS type).
func (t *typer) castWords(n *node) (at int, words string) {
	at = n.args[0].to + 1
	if t.p.word(at-1) != "as" || at >= n.to {
		return at, "" // x::type
	}
	for i := at; i < n.to-1; i++ {
		if i > at && t.p.word(i) != "" {
			words += " "
		}
		words += strings.ToLower(t.p.code[i].text)
	}
	return at, words
}

func (t *typer) castTo(n *node) (castType, bool) {
	_, words := t.castWords(n)
	i := slices.IndexFunc(castTypes, func(c castType) bool { return slices.Contains(c.names, words) })
	if i < 0 {
		return castType{}, false
	}
	return castTypes[i], true
}

// cast is the type of a CAST to a type that databases have under some name.
func (t *typer) cast(n *node) UserValue {
	from := t.typ(n.args[0])
	out := UserValue{Null: from.Null || from.Type == ""}
	if c, ok := t.castTo(n); ok && t.q.file != nil && len(t.q.file.Databases) > 1 {
		out.Type = c.result
		return out
	}
	switch n.name {
	case "bigint", "integer", "int", "int8", "signed":
		out.Type = "number"
	case "text", "char", "varchar", "character":
		out.Type = "textarea"
	case "decimal", "numeric", "real", "double", "float":
		out.Type = fraction
	case "date":
		out.Type = "date"
	}
	return out
}

// castUnlike refuses a CAST that does not give the same on all databases, or to a type that they do
// not all have.
func castUnlike(t *typer, n *node) (string, string) {
	if n.op != "cast" {
		return "", ""
	}
	at, words := t.castWords(n)
	if words == "" {
		return "", ""
	}
	called := t.p.source(span{at, n.to - 1})
	source := t.p.source(n.args[0].span)
	c, ok := t.castTo(n)
	switch {
	case strings.HasPrefix(words, "decimal"), strings.HasPrefix(words, "numeric"), strings.HasPrefix(words, "dec("):
		return "sqlite has no type " + called + ", and keeps a whole number as one", fmt.Sprintf("write CAST(%s AS real), or %s * 1.0, and add a line below the query's name that says how many digits the column has: -- column: x decimal(2)", source, source)
	case strings.HasPrefix(words, "bool"):
		return "not all databases have the type " + called, fmt.Sprintf("write %s <> 0", source)
	case strings.HasPrefix(words, "char("), strings.HasPrefix(words, "varchar("), strings.HasPrefix(words, "character("), strings.HasPrefix(words, "character varying("):
		return "sqlite does not cut a text off at the length of a type", fmt.Sprintf("write substr(%s, 1, n)", source)
	case !ok:
		return "not all databases have the type " + called, "CAST takes bigint, text, and real, a float of 64 bits; do other conversions in Go"
	}
	v := t.typ(n.args[0])
	k := v.kind()
	switch {
	case v.Type == fraction && c.result != float:
		return "a CAST of a fraction is rounded on postgres and mysql, cut off on sqlite, and written in different ways as a text", "declare the column, -- column: x decimal(2), or do this in Go"
	case k == 0 || slices.Contains(c.takes, k):
		return "", ""
	case k == check.Bool && c.result != "textarea":
		return "postgres makes no " + c.names[0] + " of a boolean", fmt.Sprintf("write CASE WHEN %s THEN 1 ELSE 0 END", source)
	case k == check.Text:
		return "a text that is no number is an error on postgres, and what it begins with or 0 on the others", "select the text itself, and parse it in Go"
	}
	return fmt.Sprintf("a %s is converted in different ways", said(v)), "select the value itself, and do this in Go"
}

// cast writes the type of a CAST as a database knows it.
func (l *lowering) cast(n *node) {
	c, ok := l.castTo(n)
	if !ok || len(l.q.file.Databases) < 2 {
		return
	}
	at, _ := l.castWords(n)
	if c.result == "textarea" && l.db == model.MySQL { // whose CAST returns the collation of the connection, which no column has
		l.replace(n.from, "CONCAT")
		at--
		l.replace(at, " ")
	} else {
		l.replace(at, c.as[l.db])
	}
	for i := at + 1; i < n.to-1; i++ {
		l.replace(i, " ")
	}
}

// collate has PostgreSQL compare a text that is made of no column by code point, as columns are
// compared on every database: else the order of the server's language would hold.
func (l *lowering) collate(n *node) {
	if l.db != model.Postgres || len(l.q.file.Databases) < 2 {
		return
	}
	if n.op != "case" && n.op != "cast" && n.op != "call" || l.typ(n).kind() != check.Text || l.ofColumn(n) {
		return
	}
	l.wrap(n.span, "", ` COLLATE "C"`)
}

// collateItems does the same for the texts that a query selects as they stand.
func (l *lowering) collateItems(q *query) {
	if l.db != model.Postgres || len(l.q.file.Databases) < 2 || l.q.top.verb != "select" || q.verb != "select" {
		return
	}
	for i, n := range q.items {
		if n.op == "text" && !slices.ContainsFunc(l.p.all, func(of *query) bool {
			return (of == q || slices.Contains(of.arms, q)) && i < len(of.items) && l.output(of, i).kind() != check.Text
		}) {
			l.wrap(n.span, "", ` COLLATE "C"`)
		}
	}
}

// ofColumn reports whether a text has the collation of a column that it is made of.
func (t *typer) ofColumn(n *node) bool {
	switch {
	case n.op == "column", n.op == "select":
		return n.op == "select" || t.typ(n).kind() == check.Text || t.typ(n).Type == ""
	case n.op == "when":
		return false
	}
	return slices.ContainsFunc(n.args, t.ofColumn)
}

// seeds reports a text of WITH RECURSIVE that begins as a literal and grows by a column: MySQL does
// not put the two together, since they have different collations.
func (q *written) seeds(part *query) {
	if !q.on(mysql) {
		return
	}
	t := q.typer
	for i, n := range part.items {
		if n.op == "star" || n.op == "null" || t.ofColumn(n) || t.output(part, i).kind() != check.Text {
			continue
		}
		for _, arm := range part.arms {
			if arm.reads(part) && i < len(arm.items) && arm.items[i].op != "column" && q.grows(arm.items[i]) {
				q.mistakeOnce(t.p.code[n.from].at, "begin with a column: substr(name, 1, 0) is an empty text of one", "mysql cannot put a text that begins as a literal together with a column")
			}
		}
	}
}

// grows reports whether a text is made of a column of a table.
func (q *written) grows(n *node) bool {
	found := false
	n.walk(func(n *node) {
		v := q.typer.typ(n)
		found = found || n.op == "column" && v.Field != nil && v.kind() == check.Text
	})
	return found
}

// bits is the type of what &, | and ~ make of whole numbers.
func (t *typer) bits(n *node) UserValue {
	for _, a := range n.args {
		if v := t.typ(a); !numeric(v) || v.kind() != check.Int && v.Type != argument && v.Type != null {
			return UserValue{}
		}
	}
	return UserValue{Type: "number", Null: t.anyNull(n.args)}
}

// recursive casts the columns of WITH RECURSIVE to the types that its second arm needs. PostgreSQL and
// MySQL take those of the first one, where 1 has 32 bits and 'a' one character: what grows is an error then.
func (l *lowering) recursive(r *relation) {
	q := r.result
	if q == nil || l.db == model.SQLite || !slices.ContainsFunc(q.arms, func(arm *query) bool { return arm.reads(q) }) {
		return
	}
	for i, n := range q.items {
		if n.op == "star" || !slices.ContainsFunc(append([]*query{q}, q.arms...), func(arm *query) bool { return i < len(arm.items) && arm.items[i].op != "column" }) {
			continue // of columns alone, which have one type
		}
		before, after := l.widest(l.output(q, i))
		l.wrap(n.span, before, after)
	}
}

// widest is what makes of a value one of the largest type of its kind.
func (l *lowering) widest(v UserValue) (before, after string) {
	my := l.db == model.MySQL
	switch k := v.kind(); {
	case k == check.Int && my:
		return "(", ") + 0 * 9223372036854775807" // MariaDB's CAST(1 AS SIGNED) has 32 bits
	case k == check.Int:
		return "CAST(", " AS bigint)"
	case k == check.Text && my:
		return "IF(TRUE, ", ", REPEAT(' ', 65536))" // as long as that, and with the collation of the text itself, which a CAST does not keep
	case k == check.Text:
		return "CAST(", ` AS text)`
	case k == check.Float && my:
		return "CAST(", " AS DOUBLE)"
	case k == check.Float:
		return "CAST(", " AS double precision)"
	case (k == check.Decimal || v.Type == fraction) && !my:
		return "CAST(", " AS numeric)"
	}
	return "", ""
}
