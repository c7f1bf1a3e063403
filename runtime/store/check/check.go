// Package check holds the rules of a field and applies them to a value.
//
// The generator uses it to refuse a default that its own rules refuse; the
// runtime uses it before every write. It imports nothing of the project.
package check

// Kind is how the store treats a column.
type Kind uint8

// The kinds. Text covers text, textarea, richtext, select, email, url and slug.
const (
	Text Kind = iota + 1
	Int
	Decimal
	Bool
	Time
	Date
	JSON
	Bytes
)
