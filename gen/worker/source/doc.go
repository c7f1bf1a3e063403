// Package source adds declarations to a folder of Go files that belong to a person.
//
//	pkg, err := source.Read(root, "workers")  // parses every file; a syntax error is a mistake with its place
//	pkg.Add("workers/job_queue.go", decl)     // at the end of the file, with the imports that it needs
//	pkg.Insert("New", statement)              // before the return of a function
//	err = pkg.Write(root)                     // every file, or none
//
// It looks by go/ast for what is there, and never prints a syntax tree: what it adds are new
// lines, and each line that was there keeps its bytes and its order. Lines end as those of the
// file do. In a file that gofmt would not change, it would not change what was added either.
//
//	package.go  the files of a folder, and what they declare
//	methods.go  the methods of a type, by its receivers and what it embeds
//	add.go      declarations at the end of a file, statements before a return
//	imports.go  the imports that they need
//	write.go    every file at once, by renaming
package source
