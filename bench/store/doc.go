// Package store measures what one call on a store costs: ours against the same
// statements written by hand over the same driver, against ent 0.14.5 and
// against GORM. By hand is what sqlc's own code does with prepared statements.
//
// All sides store the same article of 11 fields (definitions/article.yaml,
// ent/schema/article.go, gormArticle), each in a database of its own that
// starts with the same 10,000 rows. They run in turns in one process, one
// goroutine, on the same driver: modernc.org/sqlite, pgx, go-sql-driver/mysql.
//
// Durability is the same for every side. SQLite: WAL and the same pragmas as
// ours. PostgreSQL and MySQL: whatever the server is set to, which the notes
// print; scripts/services.sh --durable starts servers that sync every commit.
//
// Set up as the authors advise for speed: GORM with PrepareStmt and without its
// default transaction (gorm.io/docs/performance.html), ent over a *sql.DB that
// pgx's own statement cache serves (entgo.io/docs/sql-integration), and on MySQL with interpolateParams,
// without which the driver takes two round trips for each statement that ent and sqlc's lists do not prepare.
package store
