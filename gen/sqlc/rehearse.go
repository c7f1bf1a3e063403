package sqlc

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/gen/sqlc/protocol"
	"github.com/hegner123/modulagen/runtime/store/check"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// rehearse has the user's queries run on an in-memory SQLite that has their
// tables with a few rows, nulls wherever a column may be null. It finds what no
// analysis does: a value that the generated Go type cannot hold. A query that
// passed once is not run again. One that SQLite does not get cannot be rehearsed.
func (a Analyser) rehearse(ctx context.Context, tables []Table, queries []*UserQuery) error {
	cache := a.cache()
	var open []*UserQuery
	var keys []string
	for _, q := range queries {
		if q.Text[model.SQLite] == "" {
			continue
		}
		key := rehearsalKey(rehearsal(tables, q))
		if !cache.passed(key) {
			open, keys = append(open, q), append(keys, key)
		}
	}
	if len(open) == 0 {
		return ctx.Err()
	}
	p, err := a.program(ctx)
	if err != nil {
		return err
	}
	var found []protocol.Finding
	if err := p.call(ctx, protocol.Rehearse, rehearsal(tables, open...), &found); err != nil {
		return err
	}
	failed := map[int]bool{}
	for _, f := range found {
		if f.Query < 0 || f.Query >= len(open) {
			return fmt.Errorf("gen/sqlc: %s answers about query %d of %d", p.path, f.Query, len(open))
		}
		columns, of := open[f.Query].flat()
		if f.Column >= len(columns) {
			return fmt.Errorf("gen/sqlc: %s answers about query %d of %d, column %d", p.path, f.Query, len(open), f.Column)
		}
		failed[f.Query] = true
		if f.Column < 0 {
			open[f.Query].wrong("", "it fails on sqlite: "+f.Why)
		} else {
			open[f.Query].wrong(open[f.Query].Columns[of[f.Column]].Name, f.Why)
		}
	}
	for i, key := range keys {
		if !failed[i] {
			cache.pass(key)
		}
	}
	return nil
}

// rehearsal creates the tables that the queries name, fills them, and runs the
// queries with values and with nulls.
func rehearsal(tables []Table, queries ...*UserQuery) protocol.Rehearsal {
	named := map[string]bool{}
	var out protocol.Rehearsal
	for _, q := range queries {
		for w := range words(q.Text[model.SQLite]) {
			named[w] = true
		}
		ask := protocol.Query{Text: q.Text[model.SQLite]}
		for _, nulls := range []bool{false, true} {
			ask.Runs = append(ask.Runs, protocol.Values(q.samples(nulls)))
		}
		columns, _ := q.flat()
		for _, c := range columns {
			ask.Columns = append(ask.Columns, protocol.Column{Kind: c.kind(), Null: c.Null, Type: typeText(c.Type, c.Scale)})
		}
		out.Queries = append(out.Queries, ask)
	}
	for _, t := range tables {
		if !named[t.Datatype.Name] {
			continue
		}
		out.Setup = append(out.Setup, protocol.Statement{Text: t.DDL})
		for row := range 3 {
			out.Setup = append(out.Setup, fill(t.Datatype, row))
		}
	}
	return out
}

// fill adds a row; the second has nulls.
func fill(d *model.Datatype, row int) protocol.Statement {
	var names, marks []string
	var args []any
	for _, f := range d.Columns() {
		names, marks = append(names, `"`+f.Name+`"`), append(marks, "?")
		if row == 1 && !f.NotNull && f.Name != "id" {
			args = append(args, nil)
		} else {
			args = append(args, sample(f.Storage().Kind, f, row))
		}
	}
	text := fmt.Sprintf(`INSERT OR IGNORE INTO "%s" (%s) VALUES (%s)`, d.Name, strings.Join(names, ", "), strings.Join(marks, ", "))
	return protocol.Statement{Text: text, Args: protocol.Values(args)}
}

// sample is a value of a kind, as SQLite stores it.
func sample(kind check.Kind, f *model.Field, row int) any {
	switch kind {
	case check.Int:
		return int64(row + 1)
	case check.Decimal:
		return int64(150 * (row + 1))
	case check.Float:
		return 1.5 * float64(row+1)
	case check.Bool:
		return int64((row + 1) % 2)
	case check.Time:
		return fmt.Sprintf("2026-01-%02dT09:30:00.%06dZ", row+1, row)
	case check.Date:
		return fmt.Sprintf("2026-01-%02d", row+1)
	case check.JSON:
		return "{}"
	case check.Bytes:
		return []byte{byte(row)}
	}
	if f != nil && len(f.Options) > 0 {
		return f.Options[row%len(f.Options)].Value
	}
	if f != nil && f.Storage().Name == "ulid" {
		return fmt.Sprintf("%026d", row+1)
	}
	return string(rune('a' + row))
}

// samples are arguments for a query's parameters.
func (q *UserQuery) samples(nulls bool) []any {
	var args []any
	for _, p := range q.Params {
		switch {
		case p.List && nulls:
			args = append(args, "[]")
		case p.List:
			args = append(args, sampleList(p))
		case nulls && p.Null:
			args = append(args, nil)
		default:
			args = append(args, sample(p.kind(), p.Field, 0))
		}
	}
	if q.Clock {
		args = append(args, "2026-01-02T00:00:00.000000Z")
	}
	return args
}

// sampleList is a list as SQLite takes it, with one value.
func sampleList(p UserValue) string {
	v := sample(p.kind(), p.Field, 0)
	switch x := v.(type) {
	case []byte:
		v = fmt.Sprintf("%x", x)
	case float64:
		v = sqltext.FloatParts(x)
	}
	text, err := json.Marshal([]any{v})
	if err != nil {
		panic(fmt.Sprintf("gen/sqlc: %v", err)) // a text or a number
	}
	return string(text)
}

// rehearsalKey is the name of a rehearsal in the cache.
func rehearsalKey(r protocol.Rehearsal) string {
	data, err := json.Marshal(r)
	if err != nil {
		panic(fmt.Sprintf("gen/sqlc: %v", err)) // texts and numbers
	}
	h := newHash()
	h.add("rehearsal", string(data))
	return h.key()
}
