// Package migrate measures migrations: how long a plan takes, what opening a database costs
// that has them, how fast a table is made anew, what writers notice of a rename in use, and
// what a plan does to a database beside that of ariga.io/atlas, which plans from the same two
// schemas: both plans run on equal tables with rows, and what each statement did is measured.
package migrate
