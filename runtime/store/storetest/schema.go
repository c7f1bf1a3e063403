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

// tables are the datatypes of the suite.
type tables struct {
	Author  Table[Author, AuthorID, AuthorNew, AuthorPatch]
	Article Table[Article, ArticleID, ArticleNew, ArticlePatch]
}

func tablesOn(c *store.Conn) tables {
	return tables{
		Author:  bind[Author, AuthorID, AuthorNew, AuthorPatch](c, &authorSpec),
		Article: bind[Article, ArticleID, ArticleNew, ArticlePatch](c, &articleSpec),
	}
}

// DB is the suite's typed access, as the generator prints it.
type DB struct {
	*store.DB
	tables
}

// Tx is the same inside a transaction.
type Tx struct {
	*store.Conn
	tables
}

// On gives the typed access to an open database.
func On(db *store.DB) *DB {
	return &DB{DB: db, tables: tablesOn(db.Conn())}
}

// In gives the typed access inside a transaction.
func In(c *store.Conn) *Tx {
	return &Tx{Conn: c, tables: tablesOn(c)}
}
