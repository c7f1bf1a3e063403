// Package scaffold makes a new project: the files that `modulagen init` writes
// and the definition that `modulagen new` writes.
//
// A project made by it builds and runs as it stands. Everything in it belongs to
// its owner from then on; nothing is written over.
package scaffold
