// Package language is the definition language as tables: which keys each
// mapping has, what they hold, and which of them go with which field type.
//
// The loader holds a file to these tables, and the JSON Schema is printed from
// them, so that an editor and the generator cannot disagree about what may be
// written. What a table cannot say (a reference to a datatype that exists, a
// default that its own pattern refuses) is the loader's alone.
package language

import "time"

// Form is what a value is, before it is looked at closely.
type Form int

// The forms.
const (
	Text     Form = iota // a string
	Bool                 // true or false
	Int                  // a whole number
	Number               // a number, also one with a point
	Float                // a finite number, also one with an exponent
	Null                 // nothing
	Duration             // a span of time: 30s, 1h30m, 7d
	Any                  // whatever YAML holds
	List                 // a list of Of
	Map                  // a mapping from names to Of
	Section              // a mapping with the keys of Keys
)

// Value is what a key holds.
type Value struct {
	Form    Form
	Choices []string // Text: one of these
	Pattern string   // Text: RE2 and ECMA 262 alike; Map: of its names, NamePattern unless given
	Name    string   // Text, Map: what is asked for, in a message, when Pattern refuses something
	Empty   bool     // Text: may be empty
	Min     int64    // Int: the least; List and Map: the fewest entries
	Max     int64    // Int: the greatest; Text: the most characters; List and Map: the most entries; 0: none
	Of      *Value   // List, Map
	Unique  bool     // List: no entry twice
	Keys    *Mapping // Section
	Or      []Value  // other forms that do as well; each of another Form
}

// Forms returns the value and its alternatives.
func (v *Value) Forms() []Value { return append([]Value{*v}, v.Or...) }

// Mapping is a mapping with known keys.
type Mapping struct {
	Name string // what it is called in a message: "field"
	Help string
	Keys []Key
	// Others is what keys hold that a person names, as in a Map, beside the known ones; nil:
	// there are no others.
	Others *Value
	// OneOf, where it is set, names keys of which exactly one stands.
	OneOf []string
	// Meant returns the keys that people mean by words that are not near to them.
	Meant map[string]string
}

// Key is one key of a mapping.
type Key struct {
	Name   string
	Help   string // one line, shown by editors
	Value  *Value
	Needed bool
	Later  bool // known, and not built in this version
}

// Key finds a key by its name.
func (m *Mapping) Key(name string) (Key, bool) {
	for _, k := range m.Keys {
		if k.Name == name {
			return k, true
		}
	}
	return Key{}, false
}

// Names lists the keys that may be written.
func (m *Mapping) Names() []string {
	var out []string
	for _, k := range m.Keys {
		if !k.Later {
			out = append(out, k.Name)
		}
	}
	return out
}

// Limits of what is written.
const (
	MaxFileBytes    = 1 << 20
	MaxDatatypes    = 500
	MaxFields       = 200
	MaxIndexes      = 64
	MaxIndexFields  = 16
	MaxOptions      = 100
	MaxMembers      = 100
	MaxName         = 48   // characters of a datatype's or field's name
	MaxIndexName    = 63   // PostgreSQL's limit
	MaxOption       = 64   // characters of an option's value
	MaxDurationText = 40   // characters of a span of time
	MaxLabel        = 200  // characters
	MaxHelp         = 2000 // characters
	MaxDescription  = 10_000
	MaxDepth        = 40        // of YAML
	MaxTextLength   = 4_000_000 // characters that max may allow for textarea and richtext
	MaxLineLength   = 16_383    // characters that max may allow for text: MySQL's varchar
	MaxSize         = 64 << 20  // bytes that max may allow for json and bytes
)

// MinDuration and MaxDuration bound every span of time.
const (
	MinDuration = time.Millisecond
	MaxDuration = 3650 * 24 * time.Hour
)

// DurationPattern is the form of a span of time. It is Go's, with days and
// weeks and without what is shorter than MinDuration.
const DurationPattern = `^([0-9]+(\.[0-9]+)?(ms|s|m|h|d|w))+$`

// NamePattern is the form of names of datatypes and fields.
const NamePattern = `^[a-z][a-z0-9_]*$`
