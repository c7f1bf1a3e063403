// Package mysql is the store's driver for MySQL 8 and MariaDB 10.6 and later,
// through go-sql-driver/mysql. Importing it is enough:
//
//	import _ "github.com/hegner123/modulagen/runtime/store/mysql"
//
//	mysql://user:password@host:3306/name
//	mysql://user:password@host:3306/name?tls=true     also skip-verify, preferred
//	mysql://user:password@/name?socket=/run/mysqld/mysqld.sock
//
// There are 16 connections at most unless Options.MaxConns says otherwise. Each
// runs in UTC, in strict mode and at the isolation level "read committed";
// statements are kept prepared. A context that ends closes its connection.
package mysql
