// Package table is the backend of a cache in a table of a database: that of a datatype
// with a `cache:` section. Generated code calls it; programs name package cache.
//
// A Spec describes one table. New makes the backend of a Spec, Maintain keeps the
// tables of caches small, and ForgetWritten, ForgetDeleted and Forgets are the effects of
// writes of rows on caches.
//
//	table.go            reads entries, and has what the backends of one table share
//	write.go, drop.go   write and remove entries
//	combine.go          makes one write of several that come at once
//	bounds.go           holds the table to its numbers of entries and bytes
//	follow.go, gaps.go  bring this process what others have changed
//	ownrows.go          and what the plain methods of the datatype change
//	depends.go          removes entries with what they were made of
//	maintain.go         does now and then what no call does
package table
