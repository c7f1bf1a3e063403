// Package cache is the behavior of datatypes with a `cache:` section: rows are values
// kept under a key until they expire.
//
//	grammar.go  what may stand in the section
//	section.go  what is read from it, and what the pass adds
//	read.go     YAML -> Section, with every mistake at its place
//	pass.go     Section -> fields, tables, indexes, operations, effects and names
//	sql*.go     its operations -> SQL for each database
//	print.go    its Go
//
// What generated code calls is package runtime/cache/table.
package cache

// Name is the key of the section, and what the model keeps the cache of a datatype by.
const Name = "cache"

// Behavior is the cache, as the stages see it.
type Behavior struct{}

// Name returns Name.
func (Behavior) Name() string { return Name }
