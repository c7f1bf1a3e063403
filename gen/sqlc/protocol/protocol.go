// Package protocol is what package sqlc and the program modulagen-sqlc say to
// each other: the first two arguments of the program, and the JSON on its
// standard streams. Both import it, and it imports neither.
package protocol

import (
	"encoding/json"
	"fmt"

	"github.com/hegner123/modulagen/runtime/store/check"
)

// The versions of sqlc and of SQLite's engine that the program links: go.mod's,
// which a test compares. What they say of a query is kept under them.
const (
	SQLCVersion   = "v1.31.1"
	EngineVersion = "v1.62.0"
)

// Version is the program's first argument. Raise its number when anything here
// changes: a program of another version then says so in place of misreading.
const Version = "2,sqlc-" + SQLCVersion + ",sqlite-" + EngineVersion

// The modes of the program, its second argument.
const (
	SQLC     = "sqlc"     // the rest of the arguments are sqlc's own
	Prepare  = "prepare"  // Preparation -> []Refusal
	Rehearse = "rehearse" // Rehearsal -> []Finding
)

// Preparation asks for statements to be prepared on an in-memory SQLite.
type Preparation struct {
	DDL   []string `json:"ddl"`
	Texts []string `json:"texts"`
}

// Refusal is a statement that SQLite does not prepare.
type Refusal struct {
	Text    int    `json:"text"` // index in Preparation.Texts
	Message string `json:"message"`
}

// Rehearsal asks for queries to be run on an in-memory SQLite. Each runs once
// for each of its Runs, in a transaction that is rolled back.
type Rehearsal struct {
	Setup   []Statement `json:"setup"`
	Queries []Query     `json:"queries"`
}

// Statement is a statement and its arguments.
type Statement struct {
	Text string  `json:"text"`
	Args []Value `json:"args,omitempty"`
}

// Query is a query of a user's, with the arguments of each run and what its Go
// type expects of the columns.
type Query struct {
	Text    string    `json:"text"`
	Runs    [][]Value `json:"runs"`
	Columns []Column  `json:"columns,omitempty"`
}

// Column is what the Go type of a column can hold.
type Column struct {
	Kind check.Kind `json:"kind"`
	Null bool       `json:"null,omitempty"`
	Type string     `json:"type"` // as a person writes it
}

// Finding is something that a query did and should not have done.
type Finding struct {
	Query  int    `json:"query"`
	Column int    `json:"column"` // -1 when it concerns the whole query
	Why    string `json:"why"`
}

// Value is an argument: nil, an int64, a float64, a string or a []byte.
type Value struct{ V any }

// Values wraps arguments.
func Values(args []any) []Value {
	out := make([]Value, len(args))
	for i, a := range args {
		out[i] = Value{a}
	}
	return out
}

// Any unwraps arguments.
func Any(values []Value) []any {
	out := make([]any, len(values))
	for i, v := range values {
		out[i] = v.V
	}
	return out
}

// written is a Value in JSON: at most one of them is set.
type written struct {
	Int   *int64   `json:"i,omitempty"`
	Float *float64 `json:"f,omitempty"`
	Text  *string  `json:"s,omitempty"`
	Bytes *[]byte  `json:"b,omitempty"`
}

// MarshalJSON keeps the type of the value.
func (v Value) MarshalJSON() ([]byte, error) {
	var w written
	switch x := v.V.(type) {
	case nil:
	case int64:
		w.Int = &x
	case float64:
		w.Float = &x
	case string:
		w.Text = &x
	case []byte:
		w.Bytes = &x
	default:
		return nil, fmt.Errorf("protocol: an argument of type %T", x)
	}
	return json.Marshal(w)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (v *Value) UnmarshalJSON(data []byte) error {
	var w written
	if err := json.Unmarshal(data, &w); err != nil {
		return err
	}
	v.V = nil
	switch {
	case w.Int != nil:
		v.V = *w.Int
	case w.Float != nil:
		v.V = *w.Float
	case w.Text != nil:
		v.V = *w.Text
	case w.Bytes != nil:
		v.V = *w.Bytes
	}
	return nil
}
