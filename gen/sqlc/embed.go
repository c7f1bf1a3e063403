package sqlc

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hegner123/modulagen/gen/goname"
	"github.com/hegner123/modulagen/gen/model"
)

// embed is sqlc.embed(a) AS author: all columns of a table as one value.
type embed struct {
	of token  // the table, as FROM names it
	as string // how the value is called; "": as its datatype
}

// embedAt reads sqlc.embed(table), with the AS behind it, at the head of some tokens
// and returns how many it took.
func embedAt(ts []token) (embed, int, bool) {
	if len(ts) == 0 {
		return embed{}, 0, false
	}
	function, at := sqlcCall(ts)
	if function != "embed" {
		return embed{}, 0, false
	}
	next := func() token {
		for at < len(ts) && (ts[at].kind == space || ts[at].kind == comment) {
			at++
		}
		if at == len(ts) {
			return token{}
		}
		at++
		return ts[at-1]
	}
	e := embed{of: next()}
	if (e.of.kind != word && e.of.kind != quoted) || next().text != ")" {
		return embed{}, 0, false
	}
	end := at
	if as := next(); as.kind == word && strings.EqualFold(as.text, "as") {
		if name := next(); name.kind == word || name.kind == quoted {
			e.as, end = strings.ToLower(strings.Trim(name.text, "\"`")), at
		}
	}
	return e, end, true
}

// embeds reports a sqlc.embed that is not one of the values that the query returns,
// or not of a datatype.
func (q *written) embeds() {
	code := q.typer.p.code
	outermost := map[int]bool{} // by their offset in the file
	for _, n := range q.top.items {
		if !n.embed {
			continue
		}
		at := code[n.from].at
		outermost[at] = true
		switch r := q.top.called(n.of); {
		case r == nil:
			q.file.mistake(at, "write the table as FROM names it, by its alias where it has one", "the query %s has no table %s", q.name, n.of)
		case !hasRow(r.datatype):
			q.file.mistake(at, "name the columns", "%s is no datatype with rows of its own, which sqlc.embed takes", n.of)
		case len(q.top.arms) > 0:
			q.file.mistake(at, "name the columns, or write a query for each part", "sqlc.embed does not work with %s", "UNION, EXCEPT and INTERSECT")
		}
	}
	for i, t := range q.body {
		if _, _, ok := embedAt(q.body[i:]); ok && !outermost[t.at] {
			q.file.mistake(t.at, "embed it in the list behind the first SELECT, or name the columns", "sqlc.embed is one of the values that the query returns, and stands nowhere else")
		}
	}
}

// called returns the table that a query calls so.
func (q *query) called(name string) *relation {
	for _, r := range q.from {
		if r.called == name {
			return r
		}
	}
	return nil
}

// hasRow reports whether generated code has a type for the rows of a datatype.
func hasRow(d *model.Datatype) bool { return d != nil && d.AddedFor == "" }

// whole returns the table of which the query returns every column and nothing else:
// SELECT * of one table, or SELECT a.*.
func (q *written) whole() *relation {
	if len(q.top.items) != 1 || len(q.top.arms) > 0 {
		return nil
	}
	n := q.top.items[0]
	if n.op != "star" || n.embed {
		return nil
	}
	var r *relation
	switch {
	case n.of != "":
		r = q.top.called(n.of)
	case len(q.top.from) == 1:
		r = q.top.from[0]
	}
	if r == nil || !hasRow(r.datatype) || r.null {
		return nil
	}
	return r
}

// rows finds the places of the result that hold a whole row, by the number of the
// first column of each.
func (r *reconciler) rows() (map[int]UserValue, bool) {
	first := r.v.first().query
	out := map[int]UserValue{}
	if w := first.whole(); w != nil && r.sameColumns(0, w.datatype) && len(r.analysed[r.v.first().db].Columns) == len(w.datatype.Columns()) {
		out[0] = UserValue{Name: w.datatype.Name, Row: w.datatype}
		return out, r.sameRows(first)
	}
	if !slices.ContainsFunc(first.top.items, func(n *node) bool { return n.embed }) {
		return out, r.sameRows(first)
	}
	at := 0
	for _, n := range first.top.items {
		width, known := first.width(n)
		if !known {
			first.file.mistake(first.typer.p.code[n.from].at, "name its columns", "sqlc.embed cannot stand beside a * whose columns are not those of datatypes")
			return nil, false
		}
		if n.embed {
			table := first.top.called(n.of)
			name := n.as
			if name == "" {
				name = table.datatype.Name
			}
			if !r.sameColumns(at, table.datatype) {
				first.file.mistake(first.typer.p.code[n.from].at, "name the columns", "the columns of %s are not the same on all databases", n.of)
				return nil, false
			}
			out[at] = UserValue{Name: name, Row: table.datatype, Null: table.null}
		}
		at += width
	}
	return out, r.sameRows(first)
}

// width is how many columns an expression of the list has in the result.
func (q *written) width(n *node) (int, bool) {
	if n.op != "star" {
		return 1, true
	}
	sum := 0
	for _, r := range q.top.from {
		if n.of != "" && n.of != r.called {
			continue
		}
		if r.datatype == nil {
			return 0, false
		}
		sum += len(r.datatype.Columns())
	}
	return sum, sum > 0
}

// sameColumns reports whether the columns from one on are those of a datatype.
func (r *reconciler) sameColumns(from int, d *model.Datatype) bool {
	columns := r.analysed[r.v.first().db].Columns
	for i, f := range d.Columns() {
		if from+i >= len(columns) || !strings.EqualFold(columns[from+i].Name, f.Name) {
			return false
		}
	}
	return true
}

// sameRows reports a query of which the versions embed other tables.
func (r *reconciler) sameRows(first *written) bool {
	said := func(w *written) []string {
		var out []string
		for i, n := range w.top.items {
			if n.embed {
				t := w.top.called(n.of)
				out = append(out, fmt.Sprintf("%d %s %s %v", i, t.datatype.Name, n.as, t.null))
			}
		}
		if t := w.whole(); t != nil {
			out = append(out, t.datatype.Name)
		}
		return out
	}
	for _, w := range r.v.written() {
		if !slices.Equal(said(w), said(first)) {
			w.file.mistake(w.at, "embed the same tables everywhere", "the query %s returns other rows here than at %s:%d", w.name, first.file.Path, first.file.pos(first.at).Line)
			return false
		}
	}
	return true
}

// flat returns the columns of the result as the database returns them, and whose value
// each is part of.
func (q *UserQuery) flat() (columns []UserValue, of []int) {
	for i, c := range q.Columns {
		if c.Row == nil {
			columns, of = append(columns, c), append(of, i)
			continue
		}
		for _, f := range c.Row.Columns() {
			columns = append(columns, UserValue{Name: f.Name, Type: f.Type, Scale: f.Scale, Field: f, Datatype: c.Row, Null: c.Null || !f.NotNull})
			of = append(of, i)
		}
	}
	return columns, of
}

// rowName is the name of the type of a row of the result: as -- row: says, or after
// the query.
func (w *written) rowName() string {
	if w.row.name != "" {
		return w.row.name
	}
	return w.name + "Row"
}

// shareRows has queries that name the same row type share it, and reports those
// whose columns are not the same.
func shareRows(queries []*UserQuery) {
	first := map[string]*UserQuery{}
	for _, q := range queries {
		w := q.version.query
		if w.row.name == "" {
			continue
		}
		if len(q.Columns) < 2 {
			w.file.mistake(w.row.at, "leave this line out", "the query %s returns one value, which has no row type", q.Name)
			continue
		}
		other := first[q.Row]
		if other == nil {
			first[q.Row] = q
			continue
		}
		q.Shared = true
		if what := unlikeRows(other, q); what != "" {
			w.file.mistake(w.row.at, "give this row another name, or return the same columns in the same order", "the row %s of the query %s is not that of %s: %s", q.Row, q.Name, other.Name, what)
		}
	}
}

// unlikeRows says in what the columns of two queries differ.
func unlikeRows(a, b *UserQuery) string {
	for i := range max(len(a.Columns), len(b.Columns)) {
		switch {
		case i >= len(a.Columns):
			return fmt.Sprintf("it has the column %s too", b.Columns[i].Name)
		case i >= len(b.Columns):
			return fmt.Sprintf("it has no column %s", a.Columns[i].Name)
		}
		if x, y := a.Columns[i], b.Columns[i]; x.Name != y.Name || !sameValue(x, y) {
			return fmt.Sprintf("column %d is %s here and %s there", i+1, columnText(y), columnText(x))
		}
	}
	return ""
}

// sameValue reports whether two columns have the same Go type and are read alike.
func sameValue(a, b UserValue) bool {
	if a.Null != b.Null || a.Row != b.Row || a.Type != b.Type || a.Scale != b.Scale || (a.Field == nil) != (b.Field == nil) {
		return false
	}
	return a.Field == nil || a.Datatype == b.Datatype && a.Field.Name == b.Field.Name || sameGo(a.Field, b.Field) && a.Field.Hidden() == b.Field.Hidden()
}

func columnText(v UserValue) string {
	what := typeText(v.Type, v.Scale)
	if v.Row != nil {
		what = "a row of " + v.Row.Name
	}
	if v.Null {
		what += " null"
	}
	return fmt.Sprintf("%s (%s)", goname.Exported(v.Name), what)
}
