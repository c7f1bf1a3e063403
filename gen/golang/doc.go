// Package golang prints a model as Go, through jennifer: one package, one file
// for each datatype, and db.gen.go, which holds them together.
//
// What does not depend on a datatype stands in runtime/store once, generic; the
// files here only name columns and types. Imports are what jennifer saw used;
// no package is loaded and no type is resolved.
package golang
