package storetest

import (
	_ "embed"

	"github.com/hegner123/modulagen/runtime/store"
)

//go:embed schema.sqlite.sql
var sqliteDDL string

//go:embed schema.postgres.sql
var postgresDDL string

//go:embed schema.mysql.sql
var mysqlDDL string

// Schema gives the tables of the suite.
func Schema() *store.Schema {
	return &store.Schema{
		DDL:    [3]string{sqliteDDL, postgresDDL, mysqlDDL},
		Tables: []store.TableDef{authorTable, articleTable},
	}
}

// DB is the suite's typed access, as the generator prints it.
type DB struct {
	*store.DB
	Author  store.Table[Author, AuthorID, AuthorNew, AuthorPatch]
	Article store.Table[Article, ArticleID, ArticleNew, ArticlePatch]
}

// Tx is the same inside a transaction.
type Tx struct {
	*store.Conn
	Author  store.Table[Author, AuthorID, AuthorNew, AuthorPatch]
	Article store.Table[Article, ArticleID, ArticleNew, ArticlePatch]
}

// On gives the typed access to an open database.
func On(db *store.DB) *DB {
	return &DB{db, store.Bind(db.Conn(), &authorSpec), store.Bind(db.Conn(), &articleSpec)}
}

// In gives the typed access inside a transaction.
func In(c *store.Conn) *Tx {
	return &Tx{c, store.Bind(c, &authorSpec), store.Bind(c, &articleSpec)}
}
