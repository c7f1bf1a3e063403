// Package mysql is the store's driver for MySQL 8 and MariaDB 10.6 and later,
// through go-sql-driver/mysql. Importing it is enough:
//
//	import _ "github.com/hegner123/modulagen/runtime/store/mysql"
//
//	mysql://user:password@host:3306/name
//	mysql://user:password@host:3306/name?tls=true     also skip-verify, preferred
//	mysql://user:password@/name?socket=/run/mysqld/mysqld.sock
//	mysql://user:password@host:3306/name?statements=0    none are kept prepared
//
// There are 16 connections at most unless Options.MaxConns says otherwise. Each
// runs in UTC, in strict mode and at the isolation level "read committed";
// statements are kept prepared, up to 256 by each connection and an eighth of the
// server's max_prepared_stmt_count by a process; while the server has no room for
// one they are sent with their arguments in them. Texts are sorted by 64 KiB of each, for which a
// connection may take a sort buffer of 24 MiB. A context that ends closes its
// connection.
//
// Tables are created with a collation that compares by code point and takes
// trailing spaces for what they are: utf8mb4_nopad_bin on MariaDB and
// utf8mb4_0900_bin on MySQL, in place of the utf8mb4_bin of the generated DDL,
// which both servers know and which pads. A table that was made in another way
// must have it too; Open's *SchemaError says how to change it.
package mysql
