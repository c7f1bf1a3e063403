package core

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// List is an argument of a Statement that stands for several values. Each
// database's text takes it in its own way: SQLite's as JSON, "IN (SELECT value
// FROM json_each(?))", PostgreSQL's as an array, "= ANY($1)", and MySQL's, "IN (?)",
// is sent with a placeholder for each value. An empty list holds nothing, so that
// NOT IN keeps every row. The lists of a statement have 32,766 values at most.
type List struct {
	numbers []int64
	texts   []string
	others  []any  // values of one type, as Plain returns them
	rounded bool   // MySQL's placeholders are rounded up, for lists of any length
	err     error  // a value is none of its select's options
	wrong   string // why a value cannot be bound
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

// ListAs returns the List of values of a column, of which field returns what one is
// bound from, as for a parameter. Generated code calls it. So that few texts are
// prepared, MySQL's placeholders are rounded up to a power of two, the last value
// standing again.
func ListAs[T any](values []T, field func(*T) any) List {
	l := List{rounded: true}
	for i := range values {
		v := field(&values[i])
		if no, ok := v.(refused); ok {
			return List{err: no.err}
		}
		plain, err := Plain(v)
		if err != nil {
			return List{wrong: strings.TrimPrefix(err.Error(), "store: ")}
		}
		switch v := plain.(type) {
		case int64:
			l.numbers = append(l.numbers, v)
		case string:
			l.texts = append(l.texts, v)
		case time.Time:
			l.others = append(l.others, Moment(v))
		default:
			l.others = append(l.others, v)
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
	if n := l.length(); n > maxMarks {
		return fmt.Sprintf("a list of %d values; at most %d", n, maxMarks)
	}
	if l.wrong != "" {
		return l.wrong
	}
	for _, v := range l.others {
		if why := unstorable(v); why != "" {
			return why
		}
	}
	return unstorableIn(l.texts, unstorableText)
}

func (l List) length() int { return len(l.numbers) + len(l.texts) + len(l.others) }

// json is the list as SQLite takes it.
func (l List) json() (string, error) {
	var all any = l.numbers
	switch {
	case len(l.others) > 0:
		return jsonList(l.others)
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
	if len(l.others) > 0 {
		return arrayOf(l.others)
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
	return append(args, l.others...)
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
		n := len(out) - before
		for ; list.rounded && n > 0 && n < roundUp(list.length()); n++ {
			out = append(out, out[len(out)-1])
		}
		if n > 0 {
			b.WriteString("?" + strings.Repeat(", ?", n-1))
		} else {
			b.WriteString("SELECT NULL FROM DUAL WHERE FALSE") // a list without values, for NOT IN too
		}
	}
	b.WriteString(text)
	return b.String(), out
}

// roundStep is how many placeholders there are at most before their number is a
// multiple of it.
const roundStep = 4_096

// roundUp is how many placeholders a list of n values has: a power of two, and
// beyond roundStep a multiple of that.
func roundUp(n int) int {
	if n > roundStep {
		return (n + roundStep - 1) / roundStep * roundStep
	}
	marks := 1
	for marks < n {
		marks *= 2
	}
	return marks
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
