package model

// Writes are kinds of writes, joined with |.
type Writes uint8

// The kinds of writes. An upsert is one of the first two.
const (
	Creates Writes = 1 << iota
	Updates
	Deletes

	AllWrites = Creates | Updates | Deletes
)

// Effect is what else happens when rows of a datatype are written. The store
// runs it with every write, so that no behavior prints writes of its own.
type Effect struct {
	On       Writes
	Rows     bool   // it is handed the rows before and after
	Announce string // a topic that is announced when the write is committed; "": none
	Wanted   *Call  // makes the function that is asked before a write whether the effect has something to do; nil: it has
	Run      *Call  // makes the function that runs in the write's transaction; nil: none

	// Missed says what does not happen when a query of a person's own writes rows: a
	// sentence about the query, "It writes ...".
	Missed string
}

// Call is a call in generated code.
type Call struct {
	Package string // its import path
	Func    string
	Args    []string // Go expressions
}

// Cascade is a reference of Datatype to the one that has the Cascade, whose rows
// are deleted or changed when the row that they refer to is deleted.
type Cascade struct {
	Datatype *Datatype
	Field    *Field
}

// SetsNull reports whether the reference becomes NULL; otherwise the row is
// deleted.
func (c Cascade) SetsNull() bool { return c.Field.Reference.OnDelete == "set_null" }
