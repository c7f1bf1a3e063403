package core

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// Statement is a query of the user's own, in each database's form. Its arguments
// are what a column takes: int64, string, bool, time.Time, Date, []byte and
// types of these kinds, pointers to them, Null, Field. On PostgreSQL, []int64,
// []string and []time.Time are arrays, as "= ANY($1)" and unnest take them; nil is
// an empty one. A List is an argument of several values on every database.
type Statement struct {
	Text   [3]string // by sqltext.Dialect
	Order  [3][]int  // for each placeholder the argument it takes; nil: in order
	Params []string  // the arguments' names, for errors; nil: they are named by number

	// Clock adds this process's clock, DB.Clock, as the last argument on SQLite,
	// which has no clock that is as exact and as a test sets it. The other texts
	// ask their server.
	Clock bool
}

// Form returns the text for c's database and, for each of its placeholders, the index
// of its argument; nil: in order. It is for callers that cannot afford to have all
// arguments looked at.
func (s *Statement) Form(c *Conn) (text string, order []int) {
	return s.Text[c.dialect], s.Order[c.dialect]
}

// SkipLocked returns the statement, whose texts end in FOR UPDATE, as one that leaves
// out rows that another transaction has locked.
func (s *Statement) SkipLocked() *Statement {
	skipping := *s
	for d, text := range s.Text {
		if text != "" {
			skipping.Text[d] = text + " SKIP LOCKED"
		}
	}
	return &skipping
}

// in returns the text and the arguments for one database. An argument that no
// column could hold is an error that is ErrInvalid and names it: databases
// differ in what they make of one.
func (s *Statement) in(c *Conn, args []any) (string, []any, error) {
	lists, listed := false, 0
	for i, a := range args {
		var why string
		if list, ok := a.(List); ok {
			lists, why = true, list.unstorable()
			if listed += list.length(); listed > maxMarks && why == "" {
				why = fmt.Sprintf("with it, the lists hold %d values; together at most %d", listed, maxMarks)
			}
			if list.err != nil {
				return "", nil, list.err
			}
		} else if no, ok := a.(refused); ok {
			return "", nil, no.err
		} else if why = unstorable(a); why == "" && c.dialect != sqltext.Postgres && isArray(a) {
			why = "an array is an argument on PostgreSQL alone"
		}
		if why != "" {
			return "", nil, invalidf("%s: %s", s.param(i), why)
		}
	}
	if s.Clock && !c.db.serverClock() {
		args = append(slices.Clip(args), c.db.Clock())
	}
	text := s.Text[c.dialect]
	if order := s.Order[c.dialect]; order != nil {
		ordered := make([]any, len(order))
		for i, from := range order {
			ordered[i] = args[from]
		}
		args = ordered
	}
	if lists {
		return c.bindLists(text, args)
	}
	return text, args, nil
}

// Has reports whether the statement has a text for c's database. One that only
// some databases need, as a step of its own, has none on the others.
func (s *Statement) Has(c *Conn) bool { return s.Text[c.dialect] != "" }

// Takes reports whether the text for c's database uses the argument with an index.
func (s *Statement) Takes(c *Conn, arg int) bool {
	order := s.Order[c.dialect]
	return order == nil || slices.Contains(order, arg)
}

func (s *Statement) param(i int) string {
	if i < len(s.Params) {
		return "parameter " + s.Params[i]
	}
	return "parameter " + strconv.Itoa(i+1)
}

// unstorable says why no column could hold an argument; empty when one could.
func unstorable(arg any) string {
	switch a := arg.(type) { // what is common is not boxed
	case *int64, *bool, int64, bool:
		return ""
	case *string:
		return unstorableText(*a)
	case *time.Time:
		return unstorableTime(*a)
	}
	v, err := Plain(arg)
	if err != nil {
		return strings.TrimPrefix(err.Error(), "store: ")
	}
	switch v := v.(type) {
	case string:
		return unstorableText(v)
	case time.Time:
		return unstorableTime(v)
	case store.Date:
		if !v.Valid() {
			return "the date is no day between the years 1 and 9999"
		}
	case json.RawMessage:
		return unstorableText(string(v))
	case []string:
		return unstorableIn(v, unstorableText)
	case []time.Time:
		return unstorableIn(v, unstorableTime)
	}
	return ""
}

// unstorableIn finds the first of an array's values that could not be stored.
func unstorableIn[T any](values []T, unstorable func(T) string) string {
	for _, v := range values {
		if why := unstorable(v); why != "" {
			return why
		}
	}
	return ""
}

// Integers returns numbers, or ids, as the array that a Statement takes on PostgreSQL.
func Integers[T ~int64](values []T) []int64 {
	out := make([]int64, len(values))
	for i, v := range values {
		out[i] = int64(v)
	}
	return out
}

// Texts returns texts, or options of a select, as the array that a Statement takes on PostgreSQL.
func Texts[T ~string](values []T) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = string(v)
	}
	return out
}

// isArray reports whether v is an argument of several values, which Plain lets through.
func isArray(arg any) bool {
	switch arg.(type) {
	case []int64, []float64, []string, []bool, []time.Time, [][]byte, []store.Date, []Number:
		return true
	}
	return false
}

func unstorableText(s string) string {
	if !utf8.ValidString(s) || strings.IndexByte(s, 0) >= 0 {
		return "the text is not UTF-8 or holds a NUL byte"
	}
	return ""
}

func unstorableTime(t time.Time) string {
	if year := t.UTC().Year(); year < 1 || year > 9999 {
		return "the time is not between the years 1 and 9999"
	}
	return ""
}

// One runs a statement that gives one row; ErrNotFound without it, ErrInvalid
// for an argument that no column could hold. fields gives
// the places of the columns in a row.
func One[R any](ctx context.Context, c *Conn, s *Statement, args []any, fields func(*R) []any) (R, error) {
	var row R
	if err := Row(ctx, c, s, args, fields(&row)); err != nil {
		var none R
		return none, err
	}
	return row, nil
}

// Row runs a statement and fills dest, the places of its columns, with its one row;
// ErrNotFound without it.
func Row(ctx context.Context, c *Conn, s *Statement, args, dest []any) error {
	text, args, err := s.in(c, args)
	if err != nil {
		return err
	}
	return c.db.explain(c.QueryRow(ctx, text, args, dest), "")
}

// Many runs a statement and gives all its rows; the statement's own LIMIT
// bounds them.
func Many[R any](ctx context.Context, c *Conn, s *Statement, args []any, fields func(*R) []any) ([]R, error) {
	var row R
	rows := []R{}
	err := Each(ctx, c, s, args, fields(&row), func() error {
		rows = append(rows, row)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return rows, nil
}

// Each runs a statement and fills dest, the places of its columns, with each of its
// rows before it calls each, which must not use c when it is a transaction's. An
// error of each ends it and is returned.
func Each(ctx context.Context, c *Conn, s *Statement, args, dest []any, each func() error) error {
	text, args, err := s.in(c, args)
	if err != nil {
		return err
	}
	return c.db.explain(c.Query(ctx, text, args, dest, each), "")
}

// Exec runs a statement without rows and says how many it touched.
func Exec(ctx context.Context, c *Conn, s *Statement, args []any) (int64, error) {
	text, args, err := s.in(c, args)
	if err != nil {
		return 0, err
	}
	res, err := c.Exec(ctx, text, args)
	return res.RowsAffected, c.db.explain(err, "")
}
