// Package shape says what is new about a generated statement: which of its parts
// sqlc and SQLite have not yet been asked about.
//
// The statements of generated operations are of a closed set. Those of another
// datatype have other names, and more or fewer elements in their lists. So a
// statement is taken apart into its skeleton, in which a list is only counted as
// none, one or several elements, and the elements of its lists, in which a column
// is its type:
//
//	UPDATE ticket SET title = ?, price = ? WHERE id = ? RETURNING id, title, price
//
//	query: :one UPDATE T1 SET {several} WHERE {one} RETURNING {several}
//	SET: <TEXT!> = ?
//	SET: <INTEGER> = ?
//	WHERE: <INTEGER!> = ?
//	RETURNING: <TEXT!>
//	...
//
// When all parts of a statement have been accepted, in whatever statements, nothing
// can be learned by asking again.
//
// This holds only if two statements that differ in what a database could object to
// have different parts. Names can be left out, because definitions hold none that a
// database changes, cuts or confuses with another, and because each keyword of the
// three grammars is quoted where it has to be (a test asks sqlc about all of them).
// What depends on how elements are combined is checked here, for each statement:
// which column a parameter belongs to, which columns are returned, and that the
// key of an ON CONFLICT has a unique index. A statement that fails a check, or holds
// what this package does not know, is not proven by its parts, and sqlc is asked.
package shape
