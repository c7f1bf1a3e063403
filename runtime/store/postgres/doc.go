// Package postgres is the store's driver for PostgreSQL, through pgx and its
// pool. Importing it is enough:
//
//	import _ "github.com/hegner123/modulagen/runtime/store/postgres"
//
//	postgres://user:password@host:5432/name?sslmode=require
//
// The DSN's options are pgx's and libpq's, pool_max_conns among them. There are
// 16 connections at most unless that or Options.MaxConns says otherwise. Each
// runs in UTC and keeps its statements prepared. A context that ends cancels the
// statement on the server.
//
// While workers or caches listen for changes there is one more connection, outside
// the pool. Behind a pooler that gives one session to several clients in turn,
// which Open recognizes, nothing is kept prepared and the program does not
// listen: announcements of other processes do not reach it. With
// default_query_exec_mode=cache_statement the DSN says that the pooler keeps
// sessions.
package postgres
