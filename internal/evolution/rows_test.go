package evolution_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/hegner123/modulagen/gen/dialect"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// row is one row by columns, the id among them.
type row map[string]value

func (r row) id() string { return *r["id"] }

// contents are the rows of tables, by ids.
type contents map[string][]row

func (c contents) row(table, id string) row {
	for _, r := range c[table] {
		if r.id() == id {
			return r
		}
	}
	return nil
}

// fill adds rows to every table: one for each candidate of its fields, and one with nothing but
// NULL where that may be.
func fill(t testing.TB, db *core.DB, v *version, prefix string) {
	t.Helper()
	for _, d := range dialect.InOrder(v.Datatypes) {
		insert(t, db, v, d, prefix)
	}
}

// spend deletes the last row of each table that no one refers to, and returns the greatest ids that were
// ever given, by table: none of them may be given again.
func spend(t testing.TB, c *core.Conn, v *version) map[string]int64 {
	t.Helper()
	out := map[string]int64{}
	for _, d := range v.Datatypes {
		if d.ID == model.IDULID {
			continue
		}
		table, n := c.Dialect().Quote(d.Name), int64(0)
		if err := c.QueryRow(t.Context(), "SELECT coalesce(max(id), 0) FROM "+table, nil, []any{&n}); err != nil {
			t.Fatal(err)
		}
		out[d.Name] = n
		if !referred(v, d) {
			exec(t, c, fmt.Sprintf("DELETE FROM %s WHERE id = %d", table, n))
		}
	}
	return out
}

func referred(v *version, d *model.Datatype) bool {
	return slices.ContainsFunc(v.Datatypes, func(o *model.Datatype) bool {
		return slices.ContainsFunc(o.Fields, func(f *model.Field) bool { return f.References != nil && f.References.Name == d.Name })
	})
}

// insert adds rows to one table. Prefix sets ULIDs apart from those that are there.
func insert(t testing.TB, db *core.DB, v *version, d *model.Datatype, prefix string) int {
	t.Helper()
	rows := propose(t, db.Conn(), v, d, prefix)
	if len(rows) == 0 {
		return 0
	}
	var columns []*model.Field
	for _, f := range d.Columns() {
		if f.Name != "id" || d.ID == model.IDULID {
			columns = append(columns, f)
		}
	}
	names, lines := make([]string, len(columns)), make([]string, len(rows))
	dl := db.Conn().Dialect()
	for i, f := range columns {
		names[i] = dl.Quote(f.Name)
	}
	for i, r := range rows {
		values := make([]string, len(columns))
		for j, f := range columns {
			values[j] = literal(dl, f, r[f.Name])
		}
		lines[i] = "(" + strings.Join(values, ", ") + ")"
	}
	for part := range slices.Chunk(lines, 5) { // long texts are more than a server takes in one statement
		exec(t, db.Conn(), fmt.Sprintf("INSERT INTO %s (%s) VALUES %s", dl.Quote(d.Name), strings.Join(names, ", "), strings.Join(part, ", ")))
	}
	return len(rows)
}

// propose makes rows that the table takes.
func propose(t testing.TB, c *core.Conn, v *version, d *model.Datatype, prefix string) []row {
	t.Helper()
	all, most := map[string][]value{}, 2
	for _, f := range d.Fields {
		list := candidates(f)
		if f.References != nil {
			list = targets(t, c, d, f)
		}
		if !f.NotNull {
			list = append(list, nil)
		}
		if len(list) == 0 {
			t.Fatalf("%s.%s: no value fits", d.Name, f.Name)
		}
		all[f.Name], most = list, max(most, len(list))
	}
	var rows []row
	there := rowsOf(t, c, d)
	for i := range most + 2 {
		r := row{}
		if d.ID == model.IDULID {
			r["id"] = some(fmt.Sprintf("01J%s%0*d", prefix, 23-len(prefix), i))
		}
		for _, f := range d.Fields {
			list := all[f.Name]
			r[f.Name] = list[i%len(list)]
			if i == most && !f.NotNull {
				r[f.Name] = nil
			}
			if i == most+1 {
				r[f.Name] = list[0]
			}
		}
		if !duplicate(d, r, slices.Concat(there, rows)) {
			rows = append(rows, r)
		}
	}
	return rows
}

// targets are ids that a reference may hold: the first and the last.
func targets(t testing.TB, c *core.Conn, d *model.Datatype, f *model.Field) []value {
	var out []value
	for _, id := range texts(t, c, "SELECT "+asText(c.Dialect(), "id")+" AS shown FROM "+c.Dialect().Quote(f.References.Name)+" ORDER BY id") {
		out = append(out, some(id))
	}
	if n := len(out); n > 6 {
		out = slices.Delete(out, 3, n-3)
	}
	if len(out) == 0 && f.NotNull {
		t.Fatalf("%s.%s must refer to a row of %s, which has none", d.Name, f.Name, f.References.Name)
	}
	return out
}

// duplicate reports whether a unique index refuses a row beside others.
func duplicate(d *model.Datatype, r row, others []row) bool {
	for _, x := range d.Indexes {
		if x.Unique && slices.ContainsFunc(others, func(o row) bool { return equalBy(x, r, o) }) {
			return true
		}
	}
	return false
}

// equalBy reports whether two rows are the same to an index, both being among those that it covers.
func equalBy(x *model.Index, a, b row) bool {
	for _, c := range x.Columns {
		if a[c.Field.Name] == nil || !same(a[c.Field.Name], b[c.Field.Name]) {
			return false
		}
	}
	return holdsAll(x.Where, a) && holdsAll(x.Where, b)
}

func holdsAll(all []model.Condition, r row) bool {
	return !slices.ContainsFunc(all, func(c model.Condition) bool { return !condition(c, r) })
}

// condition reports whether a row meets one. Comparisons of order count as met.
func condition(c model.Condition, r row) bool {
	if len(c.Any) > 0 {
		return slices.ContainsFunc(c.Any, func(part model.Condition) bool { return condition(part, r) })
	}
	v := r[c.Field.Name]
	is := func(text string) bool { return v != nil && same(v, canonical(c.Field, text)) }
	switch c.Op {
	case "null":
		return v == nil
	case "not_null":
		return v != nil
	case "=", "in":
		return slices.ContainsFunc(c.Values, is)
	case "<>":
		return v != nil && !is(c.Values[0])
	}
	return v != nil
}

// read reads every row of every table.
func read(t testing.TB, c *core.Conn, v *version) contents {
	t.Helper()
	out := contents{}
	for _, d := range v.Datatypes {
		out[d.Name] = rowsOf(t, c, d)
	}
	return out
}

func rowsOf(t testing.TB, c *core.Conn, d *model.Datatype) []row {
	t.Helper()
	columns := d.Columns()
	exprs, found, dest := make([]string, len(columns)), make([]string, len(columns)), make([]any, len(columns))
	for i, f := range columns {
		exprs[i], dest[i] = reading(c.Dialect(), f), &found[i]
	}
	var out []row
	q := fmt.Sprintf("SELECT %s FROM %s ORDER BY id", strings.Join(exprs, ", "), c.Dialect().Quote(d.Name))
	err := c.Query(context.Background(), q, nil, dest, func() error {
		r := row{}
		for i, f := range columns {
			r[f.Name] = readBack(c.Dialect(), f, strings.Clone(found[i]))
		}
		out = append(out, r)
		return nil
	})
	if err != nil {
		t.Fatalf("%v\n%s", err, q)
	}
	return out
}

// remove deletes rows, and has those that refer to them refer to none; where they must refer to one, they
// go too.
func remove(t testing.TB, c *core.Conn, v *version, has contents, table string, ids map[string]bool, seen map[string]bool) {
	t.Helper()
	var list []string
	for id := range ids {
		if key := table + " " + id; !seen[key] {
			seen[key] = true
			list = append(list, "'"+id+"'")
		}
	}
	if len(list) == 0 {
		return
	}
	those := "(" + strings.Join(list, ", ") + ")"
	for _, d := range v.Datatypes {
		for _, f := range d.Fields {
			if f.References == nil || f.References.Name != table {
				continue
			}
			if !f.NotNull {
				exec(t, c, fmt.Sprintf("UPDATE %s SET %s = NULL WHERE %[2]s IN %s", c.Dialect().Quote(d.Name), c.Dialect().Quote(f.Name), those))
				continue
			}
			children := map[string]bool{}
			for _, r := range has[d.Name] {
				if p := r[f.Name]; p != nil && ids[*p] {
					children[r.id()] = true
				}
			}
			remove(t, c, v, has, d.Name, children, seen)
		}
	}
	exec(t, c, fmt.Sprintf("DELETE FROM %s WHERE id IN %s", c.Dialect().Quote(table), those))
}
