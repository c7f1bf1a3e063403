package sqlc

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/check"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// lists reports a sqlc.slice that does not stand alone in the brackets of an IN,
// where each database has a form for a list of any length.
func (q *written) lists() {
	alone := map[int]bool{} // by their offset in the file
	for _, part := range q.typer.p.all {
		part.each(func(n *node) {
			if n.op == "in" && len(n.args) == 2 && n.args[1].list && n.args[0].op != "row" {
				alone[q.typer.p.code[n.args[1].from].at] = true
			}
		})
	}
	for i := range q.body {
		t := q.body[i]
		if u, _, ok := parameter(q.body[i:]); ok && u.list && !alone[t.at] {
			q.file.mistake(t.at, fmt.Sprintf("write id IN (sqlc.slice(%s)), with one value on the left", u.name), "sqlc.slice stands alone in the brackets of an IN or NOT IN")
		}
	}
}

// goodList reports a parameter that is a list here and a value there, or a list of
// what cannot be compared.
func (r *reconciler) goodList(v UserValue) bool {
	if !v.List {
		return true
	}
	for _, db := range r.v.databases() {
		for _, u := range r.v.of[db].uses {
			if u.name == v.Name && !u.list {
				r.mistakeAtUse(v.Name, "use two parameters", "the parameter %s is a list and a value", v.Name)
				return false
			}
		}
	}
	if v.kind() == check.JSON {
		r.mistakeAtUse(v.Name, "compare what is not JSON", "the parameter %s is a list of JSON, which no database compares alike", v.Name)
		return false
	}
	return true
}

// final writes the statement that runs from what sqlc read: with placeholders for
// the marks, counted as the parameters are, and with lists in the form of the database.
func final(db model.Database, tokens []token, uses []use, index []int, params []UserValue) string {
	places := positions(tokens, uses)
	cast := untyped(db, tokens, places, index)
	out := make([]string, len(tokens))
	for i, t := range tokens {
		out[i] = t.text
		n := places[i]
		if n < 0 {
			continue
		}
		at := index[n]
		text := placeholder(db, at+1)
		switch {
		case uses[n].list:
			text = list(db, text, params[at], out[:i])
		case uses[n].name != clockName && (cast[at] || uses[n].mark != "" && params[at].Field == nil && db == model.Postgres):
			text = fmt.Sprintf("CAST(%s AS %s)", text, postgresType(params[at]))
		}
		out[i] = text
	}
	return strings.TrimSpace(strings.Join(out, ""))
}

// list writes what stands in the brackets of IN for a list, and changes what is
// before it where PostgreSQL has another form: an array is one argument there.
func list(db model.Database, text string, v UserValue, before []string) string {
	switch db {
	case model.SQLite:
		value := "value"
		switch v.kind() {
		case check.Bytes:
			value = sqltext.JSONBytes
		case check.Float:
			value = sqltext.JSONFloat
		}
		return "SELECT " + value + " FROM json_each(" + text + ")"
	case model.MySQL:
		return text
	}
	for i := len(before) - 1; i >= 0; i-- {
		if !strings.EqualFold(before[i], "in") {
			continue
		}
		before[i] = "= ANY"
		if no := endsInNot(before[:i]); no >= 0 {
			before[no], before[i] = "<>", "ALL"
		}
		break
	}
	return fmt.Sprintf("CAST(%s AS %s[])", text, postgresType(v))
}

// endsInNot returns where NOT stands at the end of some tokens, or -1.
func endsInNot(tokens []string) int {
	for i := len(tokens) - 1; i >= 0; i-- {
		switch t := tokens[i]; {
		case strings.TrimSpace(t) == "":
		case strings.EqualFold(t, "not"):
			return i
		default:
			return -1
		}
	}
	return -1
}

// positions returns for each token the use of a parameter that it stands for, -1 for
// none.
func positions(tokens []token, uses []use) []int {
	var placed []int
	marked := map[string]int{}
	for i, u := range uses {
		if u.mark == "" {
			placed = append(placed, i)
		} else {
			marked[u.mark] = i
		}
	}
	out := make([]int, len(tokens))
	for i, t := range tokens {
		out[i] = -1
		if n, ok := number(t); ok && n < len(placed) {
			out[i] = placed[n]
		} else if n, ok := marked[t.text]; ok && t.kind == word {
			out[i] = n
		}
	}
	return out
}

// untyped returns the parameters whose type PostgreSQL cannot tell: it refuses
// $1 IS NULL even where $1 has a type elsewhere in the statement.
func untyped(db model.Database, tokens []token, places, index []int) map[int]bool {
	out := map[int]bool{}
	if db != model.Postgres {
		return out
	}
	for i := range tokens {
		next := slices.IndexFunc(tokens[i+1:], func(t token) bool { return t.kind != space && t.kind != comment })
		if places[i] >= 0 && next >= 0 && strings.EqualFold(tokens[i+1+next].text, "is") {
			out[index[places[i]]] = true
		}
	}
	return out
}
