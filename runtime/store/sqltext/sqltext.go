// Package sqltext writes the statements that both the generator and the runtime
// need: the generator in their full form, for sqlc's analysis, and the runtime
// narrowed to what a caller set. The text is made in one place so that what was
// analysed is what runs. It imports nothing of the project.
package sqltext

import (
	"fmt"
	"strings"
)

// Dialect is one database's way of writing SQL.
type Dialect int

// The dialects.
const (
	SQLite Dialect = iota
	Postgres
	MySQL
)

// String returns the name that definitions and folders use.
func (d Dialect) String() string {
	return [...]string{"sqlite", "postgres", "mysql"}[d]
}

// Placeholder is the n-th parameter of a statement, from 1.
func (d Dialect) Placeholder(n int) string {
	if d == Postgres {
		return fmt.Sprintf("$%d", n)
	}
	return "?"
}

// Quote returns a name as it stands in a statement: bare where no database could
// take it for a word of its own, quoted otherwise.
func (d Dialect) Quote(name string) string {
	if !reserved[name] {
		return name
	}
	if d == MySQL {
		return "`" + name + "`"
	}
	return `"` + name + `"`
}

// Columns returns names, quoted, with commas between.
func (d Dialect) Columns(names []string) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = d.Quote(n)
	}
	return strings.Join(quoted, ", ")
}

// Reserved reports whether a name must be quoted in at least one database.
func Reserved(name string) bool { return reserved[name] }

func (d Dialect) placeholders(n int) string {
	marks := make([]string, n)
	for i := range marks {
		marks[i] = d.Placeholder(i + 1)
	}
	return strings.Join(marks, ", ")
}

// Insert adds one row. On PostgreSQL an id that the database gives is returned;
// the other two report it beside the result.
func Insert(d Dialect, table string, cols []string, databaseGivesID bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, "INSERT INTO %s (%s)\nVALUES (%s)", d.Quote(table), d.Columns(cols), d.placeholders(len(cols)))
	if len(cols) == 0 {
		b.Reset()
		fmt.Fprintf(&b, "INSERT INTO %s DEFAULT VALUES", d.Quote(table))
		if d == MySQL {
			b.Reset()
			fmt.Fprintf(&b, "INSERT INTO %s () VALUES ()", d.Quote(table))
		}
	}
	if databaseGivesID && d == Postgres {
		b.WriteString("\nRETURNING id")
	}
	return b.String()
}

// Get reads the row whose key columns have the given values, in order.
func Get(d Dialect, table string, cols, key []string) string {
	return fmt.Sprintf("SELECT %s\nFROM %s\nWHERE %s", d.Columns(cols), d.Quote(table), equals(d, key, 1))
}

// Update sets columns of the row with one id; parameters are the columns in
// order, then the id; raised columns are numbers that grow by one. SQLite and PostgreSQL return the row as it stands then.
func Update(d Dialect, table string, set, returning []string, raised ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "UPDATE %s\nSET ", d.Quote(table))
	for i, c := range set {
		if i > 0 {
			b.WriteString(",\n    ")
		}
		fmt.Fprintf(&b, "%s = %s", d.Quote(c), d.Placeholder(i+1))
	}
	for _, c := range raised {
		fmt.Fprintf(&b, ",\n    %s = %s + 1", d.Quote(c), d.Quote(c))
	}
	fmt.Fprintf(&b, "\nWHERE id = %s", d.Placeholder(len(set)+1))
	writeReturning(&b, d, returning)
	return b.String()
}

// Lock reads the id of the row with the given key, and keeps the row from others
// until the transaction ends. MySQL's upsert starts with it.
func Lock(d Dialect, table string, key []string) string {
	return Get(d, table, []string{"id"}, key) + "\nFOR UPDATE"
}

// Upsert adds one row, or sets columns of the row that already has the key, and
// returns the row as it stands then. It is not for MySQL, which takes any unique
// key for the conflict, not the one meant: there a Lock is followed by an Update
// or an Insert. Raised columns are numbers that grow by one in a row that is changed.
func Upsert(d Dialect, table string, cols, key, set, returning []string, raised ...string) string {
	var b strings.Builder
	b.WriteString(Insert(d, table, cols, false))
	fmt.Fprintf(&b, "\nON CONFLICT (%s) DO UPDATE SET ", d.Columns(key))
	if len(set) == 0 { // nothing to change, but the row must come back
		set, raised = key[:1], nil
	}
	for i, c := range set {
		if i > 0 {
			b.WriteString(",\n    ")
		}
		q := d.Quote(c)
		fmt.Fprintf(&b, "%s = excluded.%s", q, q)
	}
	for _, c := range raised {
		fmt.Fprintf(&b, ",\n    %s = %s.%s + 1", d.Quote(c), d.Quote(table), d.Quote(c))
	}
	writeReturning(&b, d, returning)
	return b.String()
}

// Delete removes the row with one id.
func Delete(d Dialect, table string) string {
	return fmt.Sprintf("DELETE FROM %s\nWHERE id = %s", d.Quote(table), d.Placeholder(1))
}

// Select is the head of every list: the runtime adds filter, sort and bound.
func Select(d Dialect, table string, cols []string) string {
	return fmt.Sprintf("SELECT %s\nFROM %s", d.Columns(cols), d.Quote(table))
}

// List reads the first rows by id.
func List(d Dialect, table string, cols []string) string {
	return fmt.Sprintf("%s\nORDER BY id\nLIMIT %s", Select(d, table, cols), d.Placeholder(1))
}

// Listed reads a column of the rows whose ids are in a list: a store.List.
func Listed(d Dialect, table, col string) string {
	in := [...]string{SQLite: "IN (SELECT value FROM json_each(?))", Postgres: "= ANY($1)", MySQL: "IN (?)"}[d]
	return fmt.Sprintf("SELECT %s\nFROM %s\nWHERE id %s", d.Quote(col), d.Quote(table), in)
}

func equals(d Dialect, cols []string, first int) string {
	parts := make([]string, len(cols))
	for i, c := range cols {
		parts[i] = fmt.Sprintf("%s = %s", d.Quote(c), d.Placeholder(first+i))
	}
	return strings.Join(parts, " AND ")
}

func writeReturning(b *strings.Builder, d Dialect, cols []string) {
	if d != MySQL && len(cols) > 0 {
		fmt.Fprintf(b, "\nRETURNING %s", d.Columns(cols))
	}
}
