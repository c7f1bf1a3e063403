package model

import "fmt"

// Dropped is what was removed on purpose: a field of a datatype, or a datatype. A
// migration deletes its data.
type Dropped struct {
	Name string
	Pos  Pos
}

// Migration is one migration as generated code lists it.
type Migration struct {
	Name      string
	Parent    string    // of the one before; "": it is the first
	Checksums [3]string // of its SQL, by Databases; empty: it has none for that one
}

// Existing is what becomes of the rows that are there when a field is new and required,
// or its rules are narrower than before. Where none of Default, Set and Step is set, a
// migration refuses rows that do not fit.
type Existing struct {
	Default bool   // they get the field's default
	Set     bool   // they get Text
	Text    string // canonical, as in Default.Text
	Step    string // the data step of this name writes them
	Pos     Pos
}

// Held are values of a field that rows need the program to know while conditions hold: the kinds
// of jobs that wait. A migration refuses to remove one that rows have.
type Held struct {
	Field  *Field
	What   string // of what they are, for people: "kind"
	Values []string
	While  []Condition

	Forms   []Form // of what rows with these values have beside them, such as payloads
	Version *Field // holds the version of a row's form; nil: all have the version 1
}

// Form is what a document of a row is decoded into, which has a value of [Held]: it is lost where a program of now
// knows the value and the version, and cannot decode what is stored.
type Form struct {
	Value   string
	Version int
	Members []*Field
}

// Naming is how the values of a field name datatypes. A migration that renames a datatype renames it there too.
type Naming string

const (
	// NamesDatatype is a datatype's name, or one of its events: its name, a dot and more.
	NamesDatatype Naming = "datatype"
	// NamesDatatypes is several of them, each with a comma behind it, and maybe a colon and more before that.
	NamesDatatypes Naming = "datatypes"
)

// Unclaimed are rows that a section which is new would take for what only its programs make, as a job that a
// worker has. A migration that adds the section refuses them.
type Unclaimed struct {
	With    *Field // a column that the section adds: the section is new where this is
	Rows    []Condition
	Because string // why they are refused, and what to do
}

// Renamed returns the field that had a name before, which no field has now; nil: there is none.
func (d *Datatype) Renamed(name string) *Field {
	var renamed *Field
	for _, f := range d.Fields {
		switch {
		case f.Name == name:
			return nil
		case f.Was == name:
			renamed = f
		}
	}
	return renamed
}

// RenameHint is what a message proposes to someone who wrote a name before.
func RenameHint(was, name string) string {
	return fmt.Sprintf("%s was %s: write %s", name, was, name)
}
