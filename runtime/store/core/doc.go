// Package core is what generated code, drivers and the runtime's other packages call:
// connections, transactions, statements, and the rows of a datatype without its
// types. Programs call the methods of generated tables, and package store has what
// they name.
//
// What does not depend on the datatype is here once, untyped, in Table; generated
// code has a Spec for each datatype, and a table whose methods add the types.
//
// Open compares tables with the definitions: columns, their types and whether they
// may be NULL, the options and lengths that checks allow, and indexes by name,
// columns, order and uniqueness. A plain index that the definitions do not know is
// left alone, since someone added it for speed, and so is a check of another kind.
package core
