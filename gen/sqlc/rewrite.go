package sqlc

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hegner123/modulagen/gen/model"
)

// rewritten is a user's query as one database gets it for analysis: without
// comments, and with a placeholder of its own for every use of a parameter, so
// that each use tells its type.
type rewritten struct {
	query  *written
	db     model.Database
	text   string
	pieces []piece
	uses   []use // one for each placeholder, in order
}

// use is one place where a parameter stands.
type use struct {
	name string
	null bool   // sqlc.narg
	list bool   // sqlc.slice
	mark string // the literal that stands for it in what is analysed; "": a placeholder
	at   int    // offset in the file
}

// piece says which part of the file a part of the text came from.
type piece struct {
	out, in int
}

// rewrite prepares a query for one database. Mistakes go to the query's file;
// they do not depend on the database, except where the message names it.
func rewrite(q *written, db model.Database) *rewritten {
	r := &rewritten{query: q, db: db}
	edits := q.lowered(db)
	var b strings.Builder
	gap := "" // white space and comments since the last token
	for i := 0; i < len(q.body); i++ {
		t := q.body[i]
		if t.kind == space || t.kind == comment {
			gap += t.text
			if t.kind == comment {
				gap += " "
			}
			continue
		}
		if b.Len() > 0 {
			b.WriteString(tidy(gap))
		}
		gap = ""
		text := nameFor(db, t)
		if e := edits[t.at].instead; e != "" {
			text = e
		}
		first := i
		if w, ok := isNow(q.body[i:]); ok && !brackets(q.body[i+1:]) {
			mark := ""
			if db == model.SQLite {
				r.uses = append(r.uses, use{name: clockName, at: t.at})
				mark = placeholder(db, r.placed())
			}
			text = now(db, w, mark)
		} else if u, n, ok := parameter(q.body[i:]); ok {
			u.at = t.at
			if q.marks(u) {
				u.mark = mark(len(r.uses))
			}
			r.uses = append(r.uses, u)
			if text = u.mark; text == "" {
				text = placeholder(db, r.placed())
			}
			i += n - 1
		} else if e, n, ok := embedAt(q.body[i:]); ok {
			text = nameFor(db, e.of) + ".*"
			i += n - 1
		}
		r.pieces = append(r.pieces, piece{out: b.Len(), in: t.at})
		b.WriteString(edits[t.at].before + text + edits[t.at].after)
		for _, t := range q.body[first+1 : i+1] { // the rest of sqlc.arg(name)
			b.WriteString(edits[t.at].after)
		}
	}
	r.text = b.String()
	return r
}

// placed is how many uses have a placeholder so far.
func (r *rewritten) placed() int {
	n := 0
	for _, u := range r.uses {
		if u.mark == "" {
			n++
		}
	}
	return n
}

// brackets reports whether a bracket opens next.
func brackets(ts []token) bool {
	i := slices.IndexFunc(ts, func(t token) bool { return t.kind != space && t.kind != comment })
	return i >= 0 && ts[i].text == "("
}

// nameFor is a token's text for one database. MySQL takes "name" for a string,
// without a word, and the others do not know `name`.
func nameFor(db model.Database, t token) string {
	if t.kind != quoted {
		return t.text
	}
	inner := t.text[1 : len(t.text)-1]
	switch {
	case strings.ContainsAny(inner, "\"`"):
		return t.text
	case db == model.MySQL:
		return "`" + inner + "`"
	}
	return `"` + inner + `"`
}

// tidy returns the white space between two tokens: a line break with what indents
// the next line, or one blank.
func tidy(gap string) string {
	if gap == "" {
		return ""
	}
	if i := strings.LastIndexByte(gap, '\n'); i >= 0 {
		indent := gap[i+1:]
		if strings.TrimLeft(indent, " \t") != "" {
			indent = ""
		}
		return "\n" + indent
	}
	return " "
}

func placeholder(db model.Database, n int) string {
	switch db {
	case model.Postgres:
		return fmt.Sprintf("$%d", n)
	case model.SQLite:
		return fmt.Sprintf("?%d", n)
	}
	return "?"
}

// parameter reads @name, sqlc.arg(name), sqlc.narg(name) or sqlc.slice(name) at the head of some
// tokens and gives how many it took.
func parameter(ts []token) (use, int, bool) {
	if ts[0].kind == named {
		return use{name: ts[0].text[1:]}, 1, true
	}
	function, at := sqlcCall(ts)
	if function != "arg" && function != "narg" && function != "slice" {
		return use{}, 0, false
	}
	var inner []token
	for ; at < len(ts) && ts[at].text != ")"; at++ {
		if ts[at].kind != space && ts[at].kind != comment {
			inner = append(inner, ts[at])
		}
	}
	if at == len(ts) || len(inner) != 1 || inner[0].kind != word && inner[0].kind != str {
		return use{}, 0, false
	}
	return use{name: strings.Trim(inner[0].text, "'"), null: function == "narg", list: function == "slice"}, at + 1, true
}

// sqlcCall recognises "sqlc.f(" and gives f and the number of tokens.
func sqlcCall(ts []token) (string, int) {
	if ts[0].kind != word || !strings.EqualFold(ts[0].text, "sqlc") || len(ts) < 4 || ts[1].text != "." || ts[2].kind != word {
		return "", 0
	}
	at := 3
	for at < len(ts) && ts[at].kind == space {
		at++
	}
	if at == len(ts) || ts[at].text != "(" {
		return "", 0
	}
	return strings.ToLower(ts[2].text), at + 1
}

// examine reports what cannot be in a query whatever the database says.
func examine(q *written) {
	s := q.file
	q.clocks()
	started := false
	for i, t := range q.body {
		if t.kind == comment || t.kind == space {
			continue
		}
		if !started && !beginsQuery(t.text) {
			s.mistake(t.at, "for several statements that belong together there is db.Tx", "a query starts with SELECT, INSERT, UPDATE, DELETE, REPLACE, WITH or VALUES, not with %s", t.text)
			return
		}
		started = true
		if j := strings.IndexFunc(t.text, func(r rune) bool { return r > '~' }); j >= 0 {
			s.mistake(t.at+j, "pass the text as a parameter: sqlc.arg(name)", "a query may hold ASCII characters only")
		}
		switch {
		case t.kind == positional:
			s.mistake(t.at, "name it: sqlc.arg(name), or sqlc.narg(name) where it may be null", "the parameter %s has no name", t.text)
		case t.kind == str && len(s.Databases) > 1 && strings.Contains(t.text, `\`):
			s.mistake(t.at, "pass the text as a parameter: sqlc.arg(name)", `\ in a string means one thing to mysql and another to the others`)
		case t.text == "||" && slices.Contains(s.Databases, model.MySQL):
			s.mistake(t.at, "write concat(a, b), or OR where that is meant; or put this query into a file for each database, as in x.sqlite.sql", "mysql reads || as OR")
		default:
			examineCall(q, i)
		}
	}
}

// beginsQuery reports whether a statement that starts with a word reads or
// changes rows.
func beginsQuery(word string) bool {
	switch strings.ToUpper(word) {
	case "SELECT", "INSERT", "UPDATE", "DELETE", "REPLACE", "WITH", "VALUES", "(":
		return true
	}
	return false
}

func examineCall(q *written, i int) {
	function, _ := sqlcCall(q.body[i:])
	if function == "" {
		return
	}
	t := q.body[i]
	u, _, ok := parameter(q.body[i:])
	switch {
	case function == "embed":
		if _, _, ok := embedAt(q.body[i:]); !ok {
			q.file.mistake(t.at, "write sqlc.embed(article), or sqlc.embed(a) AS article, with the table as FROM names it", "sqlc.embed takes one table")
		}
	case !ok && (function == "arg" || function == "narg" || function == "slice"):
		q.file.mistake(t.at, "write sqlc."+function+"(name)", "sqlc.%s takes one name", function)
	case !ok:
		q.file.mistake(t.at, "there are sqlc.arg, sqlc.narg, sqlc.slice and sqlc.embed", "sqlc.%s is not known", function)
	case !goodParam(u.name):
		q.file.mistake(t.at, "use lower-case letters, digits and _, as in since_id", "%q cannot be the name of a parameter", u.name)
	}
}

func goodParam(name string) bool {
	if name == "" || isDigit(name[0]) || name[0] == '_' {
		return false
	}
	return strings.IndexFunc(name, func(r rune) bool { return r >= 0x80 || !wordByte(byte(r)) }) < 0
}

// origin returns the offset in the file of the token at a place in the text. Its
// beginning, because PostgreSQL's syntax errors point one character behind it.
func (r *rewritten) origin(line, column int) int {
	if line <= 0 {
		return r.query.body[0].at
	}
	at := 0
	for range line - 1 {
		i := strings.IndexByte(r.text[at:], '\n')
		if i < 0 {
			break
		}
		at += i + 1
	}
	at += max(column-1, 0)
	i, found := slices.BinarySearchFunc(r.pieces, at, func(p piece, at int) int { return p.out - at })
	if !found {
		i--
	}
	if i < 0 {
		return r.query.body[0].at
	}
	return r.pieces[i].in
}
