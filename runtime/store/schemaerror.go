package store

import (
	"fmt"
	"strings"
)

// SchemaError says how a database's tables differ from the definitions, or which migrations
// are missing.
type SchemaError struct {
	Database    string   // its DSN without user, password and options
	Differences []string // one line each: "article.title: the column is text, the definition wants character varying(100)"
	// Statements mend some of the differences, in this order, without touching a value that is there:
	// they add, or allow more, or fail. Each is without its semicolon.
	Statements []string
	Missing    []string // migrations that are to be applied, in order, a line each
	Migrates   bool     // the program has migrations
	Advice     string   // what can be done, where that is not the same for all; may be empty
}

// Error lists what is wrong, a line each, and says what can be done.
func (e *SchemaError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "store: %s: ", e.Database)
	if len(e.Missing) > 0 {
		b.WriteString("migrations are missing:\n  " + strings.Join(e.Missing, "\n  "))
	}
	if len(e.Differences) > 0 {
		if len(e.Missing) > 0 {
			b.WriteString("\n")
		}
		b.WriteString("the database's tables do not match the definitions:\n  " + strings.Join(e.Differences, "\n  "))
	}
	b.WriteString("\n" + e.Mends(mostStatements) + e.advice())
	return b.String()
}

// mostStatements is how many statements Error prints.
const mostStatements = 12

// Mends returns the first most of Statements as text for people, each with a semicolon; 0 is all of
// them. It is empty where there are none.
func (e *SchemaError) Mends(most int) string {
	if len(e.Statements) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("these statements mend what can be mended without touching a value:\n")
	for i, text := range e.Statements {
		if most > 0 && i == most {
			fmt.Fprintf(&b, "  ... and %d more\n", len(e.Statements)-i)
			break
		}
		b.WriteString("  " + strings.ReplaceAll(text, "\n", "\n  ") + ";\n")
	}
	return b.String()
}

func (e *SchemaError) advice() string {
	switch {
	case e.Advice != "":
		return e.Advice
	case len(e.Missing) > 0:
		return "apply them with \"modulagen migrate up --db DSN\", or have Open do it with Options{Migrate: store.MigrateUp}"
	case e.Migrates:
		return "someone changed the tables beside the migrations: change them back, or the definitions, and record that with " +
			"\"modulagen migrate new NAME\"; \"modulagen migrate verify --db DSN\" lists the differences"
	}
	kind, _, _ := strings.Cut(e.Database, ":")
	what := "database"
	if kind == "sqlite" {
		what = "file"
	}
	return fmt.Sprintf("in development, remove the %s and let Open make it anew; otherwise change the tables by hand: "+
		"sql/%s/schema.sql in the generated folder says how they should be", what, kind)
}

// Is makes errors.Is(err, ErrSchema) hold.
func (e *SchemaError) Is(target error) bool { return target == ErrSchema }

// MigrationError says where a migration failed. What was done before that step is recorded: the
// next attempt goes on from there.
type MigrationError struct {
	Database  string // its DSN without user, password and options
	Migration string // "0002_headline"
	File      string // its SQL, in the folder of migrations: "0002_headline/sqlite.sql"
	Step      int    // from 1; 0: none of them
	What      string // what the step does
	Line      int    // in File; 0: none
	Cause     error
}

// Error names the migration, the step and the line.
func (e *MigrationError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "store: %s: migration %s failed", e.Database, e.Migration)
	if e.Step > 0 {
		fmt.Fprintf(&b, " in step %d (%s)", e.Step, e.What)
	}
	if e.File != "" && e.Line > 0 {
		fmt.Fprintf(&b, ", %s:%d", e.File, e.Line)
	}
	return fmt.Sprintf("%s: %v", b.String(), e.Cause)
}

// Is makes errors.Is(err, ErrMigration) hold.
func (e *MigrationError) Is(target error) bool { return target == ErrMigration }

// Unwrap returns what went wrong.
func (e *MigrationError) Unwrap() error { return e.Cause }
