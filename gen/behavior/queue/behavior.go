// Package queue is the behavior of datatypes with a `queue:` section: rows are jobs
// that workers take up.
//
//	grammar.go  what may stand in the section
//	section.go  what is read from it, and what the pass adds
//	read*.go    YAML -> Section, with every mistake at its place
//	pass*.go    Section -> fields, indexes, operations, effects and names
//	sql*.go     its operations -> SQL for each database
//	print*.go   its Go
//
// What generated code calls is package runtime/queue/engine.
package queue

// Name is the key of the section, and what the model keeps the queue of a datatype by.
const Name = "queue"

// Behavior is the queue, as the stages see it.
type Behavior struct{}

// Name returns Name.
func (Behavior) Name() string { return Name }
