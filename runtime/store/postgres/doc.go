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
package postgres
