// Package gen turns a project's definitions into Go and SQL.
//
//	result, err := gen.Generate(ctx, gen.Options{Dir: "."})
//
// Generate is an ordered list of stages, each a package that can be used alone:
//
//	load      YAML files                -> model.Project, or every mistake in them
//	behavior  model.Project             -> the same, with queues and the like turned
//	                                       into plain fields, indexes and operations
//	dialect   model.Project             -> SQL for SQLite, PostgreSQL and MySQL
//	sqlc      SQL                       -> analysed queries, the user's own included
//	golang    model, SQL, analysis      -> Go files
//	output    files in memory           -> files on disk, all or nothing
//
// What a person wrote wrong comes back as a mistake.List: files, lines, columns
// and what to write instead. Nothing is written then.
package gen
