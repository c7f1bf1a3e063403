package core

import (
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// Schema is every table of a program.
type Schema struct {
	// DDL creates them, in the order in which references allow: CREATE TABLE
	// and CREATE INDEX statements that end in ";\n". By sqltext.Dialect.
	DDL    [3]string
	Tables []TableDef
	// Targets names the databases that the program is generated for ("sqlite", "postgres", "mysql"),
	// which have DDL; nil: all. Open refuses the DSN of another.
	Targets []string
	// Ensure brings a database that is being opened to this schema, or reports what is missing;
	// nil: tables that are missing are created, and the others compared.
	Ensure func(context.Context, Backend, *Schema, store.Options) error
}

// TableDef is one table as it should be, or as it is.
type TableDef struct {
	Name    string
	Columns []Column
	// Generated are columns beside those of the rows, which no statement names.
	// One with an empty type is not there on that database.
	Generated []Column
	Indexes   []Index // without the primary key's
	// Checks are statements that hold the table's checks, as an Inspect finds
	// them; nil: it does not know. Those that should be stand in Schema.DDL.
	Checks []string
	// Wrong is what an Inspect finds amiss whatever the definition says, each
	// a line for people.
	Wrong []string
}

// on returns the columns of the table on one database.
func (t TableDef) on(d sqltext.Dialect) []Column {
	out := slices.Clone(t.Columns)
	for _, c := range t.Generated {
		if c.Types[d] != "" {
			out = append(out, c)
		}
	}
	return out
}

// EnsureTables is what Open does with a schema that has no migrations: it creates the tables that
// are missing and compares the others.
func EnsureTables(ctx context.Context, b Backend, schema *Schema, opts store.Options) error {
	names := make([]string, len(schema.Tables))
	for i, t := range schema.Tables {
		names[i] = t.Name
	}
	if len(names) == 0 {
		return nil
	}
	found, err := b.Inspect(ctx, b, names)
	if err != nil {
		return fmt.Errorf("store: reading the database's tables: %w", err)
	}
	if len(found) < len(names) {
		err = b.Exclusive(ctx, func(s Session) error {
			if found, err = b.Inspect(ctx, s, names); err != nil { // another process may have been here
				return err
			}
			if err := differences(b, schema, found); err != nil {
				return err // a database that does not match is left as it is
			}
			return create(ctx, s, schema.DDL[b.Dialect()], func(table, _ string) bool { return !holds(found, table) })
		})
		if err != nil {
			return err
		}
		if found, err = b.Inspect(ctx, b, names); err != nil {
			return err
		}
		if len(found) < len(names) {
			return missing(b, names, found)
		}
	}
	if err := differences(b, schema, found); err != nil {
		return err
	}
	WarnOfIndexes(ctx, opts.Logger, b.Dialect(), schema, found)
	return nil
}

// WarnOfIndexes logs the indexes that tables lack, with the statements that make them; nothing where log is nil. Open
// does not make them: on a large table that takes long, and may keep writers waiting.
func WarnOfIndexes(ctx context.Context, log *slog.Logger, d sqltext.Dialect, schema *Schema, found []TableDef) {
	if log == nil {
		return
	}
	mends := lazyMender(d, schema)
	for _, w := range schema.Tables {
		i := slices.IndexFunc(found, func(t TableDef) bool { return t.Name == w.Name })
		if i < 0 {
			continue
		}
		for _, x := range w.Indexes {
			if !slices.ContainsFunc(found[i].Indexes, func(f Index) bool { return strings.EqualFold(f.Name, x.Name) }) {
				log.WarnContext(ctx, "store: an index is missing", "table", w.Name, "index", x.Name, "statement", mends().index(w.Name, x.Name))
			}
		}
	}
}

func missing(b Backend, names []string, found []TableDef) error {
	e := &store.SchemaError{Database: b.Name()}
	for _, n := range names {
		if !holds(found, n) {
			e.Differences = append(e.Differences, n+": the table is missing, and the schema does not create it")
		}
	}
	return e
}

var (
	creation = regexp.MustCompile("(?is)^CREATE\\s+(?:UNIQUE\\s+)?(?:TABLE\\s+(?:IF\\s+NOT\\s+EXISTS\\s+)?|INDEX\\s+\\S+\\s+ON\\s+)[\"`]?(\\w+)")
	altering = regexp.MustCompile("(?is)^ALTER\\s+TABLE\\s+[\"`]?(\\w+)")
)

func holds(found []TableDef, table string) bool {
	return slices.ContainsFunc(found, func(t TableDef) bool { return t.Name == table })
}

// create runs the statements that are wanted, of the table that each is about.
func create(ctx context.Context, s Session, ddl string, wanted func(table, text string) bool) error {
	for _, text := range Statements(ddl) {
		m := creation.FindStringSubmatch(text)
		if m == nil {
			m = altering.FindStringSubmatch(text)
		}
		if m == nil {
			return fmt.Errorf("store: the schema holds a statement that creates nothing: %.60s", text)
		}
		if !wanted(m[1], text) {
			continue
		}
		if _, err := s.Exec(ctx, text, nil); err != nil {
			return fmt.Errorf("store: creating %s: %w", m[1], err)
		}
	}
	return nil
}

// Statements splits DDL at lines that end in ";" and drops comment lines. Lines of a text in quotes are
// neither: a value may have several.
func Statements(ddl string) []string {
	var out, lines []string
	var open rune // the quote that has no end yet; 0: none
	for line := range strings.Lines(ddl + "\n") {
		line = strings.TrimSuffix(line, "\n")
		if blank := strings.TrimSpace(line); open == 0 && (blank == "" || strings.HasPrefix(blank, "--")) {
			continue
		}
		if open = openQuote(open, line); open != 0 {
			lines = append(lines, line)
			continue
		}
		line = strings.TrimRight(line, " \t\r")
		end := strings.HasSuffix(line, ";")
		lines = append(lines, strings.TrimSuffix(line, ";"))
		if end {
			out = append(out, strings.Join(lines, "\n"))
			lines = nil
		}
	}
	if len(lines) > 0 {
		out = append(out, strings.Join(lines, "\n"))
	}
	return out
}

// openQuote returns the quote that is open at the end of a line, given the one that is open at its beginning. A
// quote within a text is doubled, and so is a backslash on MySQL, so that pairs of quotes need no further care.
func openQuote(open rune, line string) rune {
	for _, c := range line {
		switch {
		case c == open:
			open = 0
		case open == 0 && (c == '\'' || c == '"' || c == '`'):
			open = c
		}
	}
	return open
}

// differences compares the tables that were found with what they should be.
func differences(b Backend, schema *Schema, found []TableDef) error {
	e := newDifferences(b.Dialect(), schema, true)
	e.tables(b.Dialect(), schema, found, false)
	if len(e.lines) == 0 {
		return nil
	}
	return &store.SchemaError{Database: b.Name(), Differences: e.lines, Statements: e.statements}
}

// tables compares the tables that were found with those of a schema; their foreign keys too where
// keys is set.
func (e *differenceList) tables(d sqltext.Dialect, schema *Schema, found []TableDef, keys bool) {
	known := read(d, Statements(schema.DDL[d]))
	for _, w := range schema.Tables {
		i := slices.IndexFunc(found, func(t TableDef) bool { return t.Name == w.Name })
		if i < 0 {
			continue
		}
		e.columns(d, w, found[i])
		for _, wrong := range found[i].Wrong {
			e.addf("%s: %s", w.Name, wrong)
		}
		if checks, ok := known.tables[w.Name]; ok && found[i].Checks != nil {
			has := factsOf(d, found[i])
			e.checks(w, checks, has, found[i])
			if keys {
				e.references(d, w.Name, known.references, has.references)
			}
		}
		e.indexes(d, w, found[i])
	}
}

// differenceList collects differences, each a line for people.
type differenceList struct {
	lines      []string
	statements []string // that mend some of them
	mends      func() *mender
	unmade     map[string]bool // columns that are missing and have no statement, by table and name
	unfit      bool            // see Unfit
}

func newDifferences(d sqltext.Dialect, schema *Schema, unfit bool) *differenceList {
	return &differenceList{mends: lazyMender(d, schema), unmade: map[string]bool{}, unfit: unfit}
}

// mended keeps statements that are not empty, each once.
func (e *differenceList) mended(statements ...string) {
	for _, s := range statements {
		if s != "" && !slices.Contains(e.statements, s) {
			e.statements = append(e.statements, s)
		}
	}
}

// lacks adds a column that is missing.
func (e *differenceList) lacks(d sqltext.Dialect, table string, c Column) {
	e.addf("%s.%s: the column is missing (%s)", table, c.Name, c.declaration(d))
	text := e.mends().column(table, c)
	e.unmade[table+"."+c.Name] = text == ""
	e.mended(text)
}

func (e *differenceList) addf(format string, args ...any) {
	e.lines = append(e.lines, fmt.Sprintf(format, args...))
}

func (e *differenceList) columns(d sqltext.Dialect, wanted, found TableDef) {
	columns := wanted.on(d)
	for _, w := range columns {
		i := slices.IndexFunc(found.Columns, func(c Column) bool { return c.Name == w.Name })
		if i < 0 {
			e.lacks(d, wanted.Name, w)
			continue
		}
		f := found.Columns[i]
		if !sameType(d, w.Types[d], f.Types[d]) && !(e.unfit && wider(w.Types[d], f.Types[d])) {
			e.addf("%s.%s: the column is %s, the definition wants %s", wanted.Name, w.Name, f.Types[d], w.Types[d])
			e.mended(e.mends().retype(wanted.Name, w, f))
		}
		if w.Null && !f.Null {
			e.addf("%s.%s: the column is NOT NULL, the definition allows null", wanted.Name, w.Name)
			e.mended(e.mends().allowNull(wanted.Name, w, f))
		}
		if !w.Null && f.Null {
			e.addf("%s.%s: the column allows NULL, the definition does not", wanted.Name, w.Name)
			e.mended(e.mends().refuseNull(wanted.Name, w))
		}
	}
	for _, f := range found.Columns {
		if !slices.ContainsFunc(columns, func(c Column) bool { return c.Name == f.Name }) && !(e.unfit && f.Null) {
			e.addf("%s.%s: the database has a column (%s) that the definition does not know", wanted.Name, f.Name, f.Types[d])
		}
	}
}

func (e *differenceList) indexes(d sqltext.Dialect, wanted, found TableDef) {
	for _, w := range wanted.Indexes {
		i := slices.IndexFunc(found.Indexes, func(x Index) bool { return strings.EqualFold(x.Name, w.Name) })
		if i < 0 {
			if w.Unique || !e.unfit {
				e.addf("%s: the %s is missing", wanted.Name, w.describe(wanted))
				if !slices.ContainsFunc(w.Columns, func(c int) bool { return e.unmade[wanted.Name+"."+wanted.Columns[c].Name] }) {
					e.mended(e.mends().index(wanted.Name, w.Name))
				}
			}
			continue
		}
		if f := found.Indexes[i]; !sameIndex(d, w.describe(wanted), f.describe(found)) {
			e.addf("%s: the database has the %s, the definition wants the %s", wanted.Name, f.describe(found), w.describe(wanted))
		}
	}
	for _, f := range found.Indexes {
		if !slices.ContainsFunc(wanted.Indexes, func(x Index) bool { return strings.EqualFold(x.Name, f.Name) }) && f.Unique {
			e.addf("%s: the database has the %s that the definition does not know", wanted.Name, f.describe(found))
		}
	}
}

// declaration returns a column's type as one would write it.
func (c Column) declaration(d sqltext.Dialect) string {
	if c.Null {
		return c.Types[d]
	}
	return c.Types[d] + " NOT NULL"
}

// describe returns "unique index name (a, b desc) on some rows", for comparison
// and for people.
func (x Index) describe(t TableDef) string {
	var b strings.Builder
	if x.Unique {
		b.WriteString("unique ")
	}
	b.WriteString("index " + strings.ToLower(x.Name) + " (")
	for i, c := range x.Columns {
		if i > 0 {
			b.WriteString(", ")
		}
		if c >= 0 && c < len(t.Columns) {
			b.WriteString(t.Columns[c].Name)
		} else {
			b.WriteString("an expression")
		}
		if i < len(x.Desc) && x.Desc[i] {
			b.WriteString(" desc")
		}
	}
	b.WriteString(")")
	if x.Partial {
		b.WriteString(" on some rows")
	}
	return b.String()
}

// sameIndex compares descriptions. MySQL has no partial index: there it is a
// plain one, or one over an expression.
func sameIndex(d sqltext.Dialect, wanted, found string) bool {
	if d == sqltext.MySQL && strings.HasSuffix(wanted, " on some rows") {
		return true
	}
	if d == sqltext.MySQL { // MariaDB before 10.8 and MySQL before 8 ignore DESC
		wanted, found = strings.ReplaceAll(wanted, " desc", ""), strings.ReplaceAll(found, " desc", "")
	}
	return wanted == found
}

var intWidth = regexp.MustCompile(`^((?:big|small|medium)?int)\(\d+\)`)

// sameType compares type names as databases report them.
func sameType(d sqltext.Dialect, wanted, found string) bool {
	return canonicalType(d, wanted) == canonicalType(d, found)
}

var sized = regexp.MustCompile(`(?i)^(varchar|character varying)\((\d+)\)$`)

// wider reports whether a column holds longer texts than it has to.
func wider(wanted, found string) bool {
	w, f := sized.FindStringSubmatch(wanted), sized.FindStringSubmatch(found)
	return w != nil && f != nil && strings.EqualFold(w[1], f[1]) && shorter(w[2], f[2])
}

func canonicalType(d sqltext.Dialect, name string) string {
	name = strings.ToLower(strings.Join(strings.Fields(name), " "))
	if d != sqltext.MySQL {
		return name
	}
	name = intWidth.ReplaceAllString(name, "$1")
	switch name {
	case "json": // MariaDB keeps JSON as text and says so
		return "longtext"
	case "boolean", "bool":
		return "tinyint(1)"
	}
	return name
}
