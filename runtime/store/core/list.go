package core

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// List is an argument of a Statement that stands for several values. Each
// database's text takes it in its own way: SQLite's as JSON, "IN (SELECT value
// FROM json_each(?))", PostgreSQL's as an array, "= ANY($1)", and MySQL's, "IN (?)",
// is sent with a placeholder for each value. An empty list holds nothing. The
// caller bounds its length, well below the 32,766 arguments of one statement.
type List struct {
	numbers []int64
	texts   []string
}

// ListOf returns the List of these values, which it keeps.
func ListOf[T int64 | string](values []T) List {
	switch v := any(values).(type) {
	case []string:
		return List{texts: v}
	case []int64:
		return List{numbers: v}
	}
	return List{}
}

// IDList returns the List of ids, all of which are an int64, or all a string.
func IDList(ids []any) List {
	var l List
	for _, id := range ids {
		switch id := id.(type) {
		case int64:
			l.numbers = append(l.numbers, id)
		case string:
			l.texts = append(l.texts, id)
		}
	}
	return l
}

// ColumnByIDs returns the statement that reads one column of the rows whose ids are
// in the List that is its argument.
func ColumnByIDs(s *Spec, column int) *Statement {
	st := &Statement{Params: []string{"ids"}}
	for d := range st.Text {
		st.Text[d] = sqltext.Listed(sqltext.Dialect(d), s.Name, s.Columns[column].Name)
	}
	return st
}

func (l List) unstorable() string {
	if n := len(l.numbers) + len(l.texts); n > maxMarks {
		return fmt.Sprintf("a list of %d values; at most %d", n, maxMarks)
	}
	return unstorableIn(l.texts, unstorableText)
}

// json is the list as SQLite takes it.
func (l List) json() (string, error) {
	var all any = l.numbers
	switch {
	case len(l.texts) > 0:
		all = l.texts
	case len(l.numbers) == 0:
		return "[]", nil
	}
	text, err := json.Marshal(all)
	return string(text), err
}

// array is the list as PostgreSQL takes it.
func (l List) array() any {
	if len(l.texts) > 0 {
		return l.texts
	}
	if len(l.numbers) == 0 {
		return "{}" // of either kind
	}
	return l.numbers
}

func (l List) appendTo(args []any) []any {
	for _, n := range l.numbers {
		args = append(args, n)
	}
	for _, s := range l.texts {
		args = append(args, s)
	}
	return args
}

// bindLists replaces the lists among the arguments by what c's database takes.
func (c *Conn) bindLists(text string, args []any) (string, []any, error) {
	if c.dialect == sqltext.MySQL {
		text, args = spread(text, args)
		return text, args, nil
	}
	bound := make([]any, len(args))
	for i, a := range args {
		bound[i] = a
		list, ok := a.(List)
		switch {
		case !ok:
		case c.dialect == sqltext.Postgres:
			bound[i] = list.array()
		default:
			text, err := list.json()
			if err != nil {
				return "", nil, fmt.Errorf("store: a list as JSON: %w", err)
			}
			bound[i] = text
		}
	}
	return text, bound, nil
}

// spread writes, for each list, as many placeholders as it has values.
func spread(text string, args []any) (string, []any) {
	var b strings.Builder
	out := make([]any, 0, len(args))
	for _, a := range args {
		at := placeholder(text)
		b.WriteString(text[:at])
		text = text[min(at+1, len(text)):]
		list, ok := a.(List)
		if !ok {
			b.WriteByte('?')
			out = append(out, a)
			continue
		}
		before := len(out)
		out = list.appendTo(out)
		if n := len(out) - before; n > 0 {
			b.WriteString("?" + strings.Repeat(", ?", n-1))
		} else {
			b.WriteString("NULL") // which nothing equals
		}
	}
	b.WriteString(text)
	return b.String(), out
}

// placeholder finds the first ? of MySQL's text that is not in quotes; without
// one, its end.
func placeholder(text string) int {
	var quote byte
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quote == 0 && c == '?':
			return i
		case quote == 0 && (c == '\'' || c == '"' || c == '`'):
			quote = c
		case c == '\\' && quote != 0 && quote != '`':
			i++ // what follows is part of the text
		case c == quote:
			quote = 0
		}
	}
	return len(text)
}
