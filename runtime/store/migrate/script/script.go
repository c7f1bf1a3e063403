// Package script is the format of a migration's SQL file, which the generator writes,
// a person reads and the runtime runs.
//
// A file is plain SQL for one database. What the runtime must know beside the statements
// stands in comments, one to a line:
//
//	-- migration 0002_headline, after 0001_init
//	-- programs of the version before: refused: article.title is renamed
//
//	-- step 1, safe: article.title: rename the column to headline
//	-- done when: column article headline
//	ALTER TABLE article RENAME COLUMN title TO headline;
//
//	-- step 2, data: article.slug: fill rows that have none
//	-- refuse: SELECT id FROM article WHERE slug IS NULL
//	-- because: article.slug is required, and these rows have none
//	-- run: fill_slug
//
// The first migration is "0001_init, the first"; a migration after which programs of the
// version before can go on has "allowed" in place of "refused: REASON".
//
// Of a step, comments say "note: TEXT", "alone: ..." (its statements run outside a
// transaction), "locks: TABLE", "rebuilds: TABLE" and "leaves out: COLUMN, COLUMN", "refuse: QUERY" with "because: REASON" after it,
// and "run: NAME". Of the statement after them: "done when: [no] table TABLE", "done when: [no]
// column|index|constraint|trigger TABLE NAME", "repeatable: ..." and "or: CLAUSE". A line that begins
// with "--" and three spaces continues the comment before it.
//
// A statement ends with a line that ends in ";" outside quotes. Other comments are left alone.
package script

// Class is what a step does to a database that is in use.
type Class string

// The classes, from the harmless to the one that the definitions must call for.
const (
	Safe     Class = "safe"     // neither holds up others nor changes values
	Blocks   Class = "blocks"   // others wait; Note says who, and how long
	Rewrites Class = "rewrites" // the whole table is written again
	Data     Class = "data"     // values of rows change
	Destroys Class = "destroys" // a column, a table or values go
)

// Script is one migration on one database.
type Script struct {
	Name   string // its folder: "0002_headline"
	Parent string // of the migration before; empty: it is the first
	// Refused says why a program of the version before cannot work on the result; empty: it
	// can, as the migration only adds.
	Refused string
	// After names the migration from before which no program may run any more when this one is
	// applied: the first of the two that rename a column in use, or this one itself. Empty: programs
	// do not matter.
	After string
	Steps []Step
}

// Step is what takes effect together, as far as the database can do that.
type Step struct {
	Class Class
	What  string // one line for people: "article.title: rename the column to headline"
	Note  string // who waits, for how long; what a person has to decide; may be empty

	// Alone has the statements run outside a transaction, each by itself: what PostgreSQL
	// builds concurrently.
	Alone bool
	// Locked is the table that no one else reads or writes from the first statement of the step to the
	// last, on MySQL, where each takes effect by itself. Empty: none.
	Locked string
	// Rebuilt is the table that the step makes anew on SQLite: rows are counted before and
	// after, the mark of the ids is kept, foreign keys are checked. Empty: none.
	Rebuilt string
	// LeavesOut are the columns of that table that go. Without them, every column stays.
	LeavesOut []string

	// Batches is the table of which the step's one statement, an UPDATE with a WHERE, changes
	// rows by their ids, some hundred in a transaction, so that no one waits long. Empty: all at once.
	Batches string

	Refuse     []Refusal // asked before the statements, in order
	Statements []Statement
	Run        string // the name of the data step in Go that runs after the statements; empty: none

	Line int // of the step's first line in the file; set by Parse
}

// Refusal is a query for rows that do not fit what the step makes of the table.
type Refusal struct {
	Query   string // it selects the ids of the rows
	Because string // what is wrong with them, and what to do
}

// Statement is one statement of SQL.
type Statement struct {
	SQL string // without the final semicolon
	// Done is how the database shows that the statement has taken effect, where it takes
	// effect at once instead of with a transaction: every DDL statement of MySQL, and what
	// runs Alone. Empty: it may be run again (Repeatable), or runs in a transaction.
	Done []Probe
	// Repeatable marks such a statement as one that may run twice.
	Repeatable bool
	// Or are clauses to try in place of the statement's last one, "ALGORITHM=INSTANT", where the
	// database refuses that, in order.
	Or []string

	Line int // of its first line in the file; set by Parse
}

// Probe is something that exists in a database, or does not.
type Probe struct {
	Missing bool   // it must not exist
	Kind    string // "table", "column", "index", "constraint" or "trigger"
	Table   string
	Name    string // of what is not a table; empty: of a table
}
