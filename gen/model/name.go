package model

// Name is the name of something that a stage prints or creates. What a project
// declares stands in one list, so that two that are alike are found before
// anything is printed.
type Name struct {
	Space string    // in which names must differ: SpaceGo and the like
	Text  string    // the name itself
	What  string    // what has it, for people: "the row of article"
	Pos   Pos       // the text that leads to it; zero: every project has it, and What is a sentence, "every database has"
	Hint  string    // how what has it gets another name
	Owner *Datatype // whose it is; nil: the project's, or a query's
	Added bool      // no one chose it: of two that collide, the other is the one to change
	Once  bool      // it is printed once, however many datatypes declare it with this What
}

// Spaces of names. Members and Columns make those that there are several of.
const (
	SpaceGo          = "the generated package"
	SpaceRelations   = "relations"    // PostgreSQL and SQLite keep tables and indexes in one
	SpaceForeignKeys = "foreign keys" // MySQL has one for the whole database
	SpaceChecks      = "checks"       // and another for these
	SpaceQueries     = "queries.sql"
)

// Members is the space of the fields and methods of a Go type.
func Members(goType string) string { return "the Go type " + goType }

// Columns is the space of a table's columns.
func Columns(d *Datatype) string { return "the table " + d.Name }
