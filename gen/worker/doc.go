// Package worker writes the Go that a program adds to what is generated: the handlers of a
// datatype, their place in generated.Workers, and their tests.
//
// A behavior says as a Part what a program writes for its section; a Folder adds what of the parts
// of a datatype is missing in the program's own package. A file of that belongs to a person from
// the first line on: no line that is there is changed.
//
//	worker.go   what a behavior says: Part, with methods, wiring and tests
//	sample.go   values of fields that their rules accept, for tests
//	pattern.go  a text that a regular expression matches
//	folder.go   the package of handlers, and what it lacks
//	shared.go   what is there once in it: New, and what tests call
//
// Text in a Part names packages as @name.Name, under the names of Imports; $ is the receiver.
package worker
