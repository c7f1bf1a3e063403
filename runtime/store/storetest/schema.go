package storetest

import (
	_ "embed"

	"github.com/hegner123/modulagen/runtime/store/core"
)

//go:embed schema.sqlite.sql
var sqliteDDL string

//go:embed schema.postgres.sql
var postgresDDL string

//go:embed schema.mysql.sql
var mysqlDDL string

// Schema returns the tables of the suite.
func Schema() *core.Schema {
	return &core.Schema{
		DDL:    [3]string{sqliteDDL, postgresDDL, mysqlDDL},
		Tables: []core.TableDef{authorTable, articleTable},
	}
}

// tables are the datatypes of the suite.
type tables struct {
	Author  Table[Author, AuthorID, AuthorNew, AuthorPatch]
	Article Table[Article, ArticleID, ArticleNew, ArticlePatch]
}

func tablesOn(c *core.Conn) tables {
	return tables{
		Author:  bind[Author, AuthorID, AuthorNew, AuthorPatch](c, &authorSpec),
		Article: bind[Article, ArticleID, ArticleNew, ArticlePatch](c, &articleSpec),
	}
}

// DB is the suite's typed access, as the generator prints it.
type DB struct {
	*core.DB
	tables
}

// Tx is the same inside a transaction.
type Tx struct {
	*core.Conn
	tables
}

// On returns the typed access to an open database.
func On(db *core.DB) *DB {
	return &DB{DB: db, tables: tablesOn(db.Conn())}
}

// In returns the typed access inside a transaction.
func In(c *core.Conn) *Tx {
	return &Tx{Conn: c, tables: tablesOn(c)}
}
