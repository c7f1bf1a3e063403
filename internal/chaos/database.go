//go:build unix

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
	_ "github.com/hegner123/modulagen/runtime/store/mysql"    // a database under test
	_ "github.com/hegner123/modulagen/runtime/store/postgres" // a database under test
	_ "github.com/hegner123/modulagen/runtime/store/sqlite"   // a database under test
)

// services says where scripts/services.sh tells of a server.
var services = map[string]string{"postgres": "MODULAGEN_POSTGRES_DSN", "mysql": "MODULAGEN_MYSQL_DSN"}

// pidfiles says where scripts/services.sh --keep tells which process to kill.
var pidfiles = map[string]string{"postgres": "MODULAGEN_POSTGRES_PIDFILE", "mysql": "MODULAGEN_MYSQL_PIDFILE"}

// fresh makes a new database of a kind; drop removes it.
func fresh(ctx context.Context, kind, folder string) (dsn string, drop func(), err error) {
	if kind == "sqlite" {
		return "sqlite:" + filepath.Join(folder, "chaos.db"), func() {}, nil
	}
	variable, known := services[kind]
	if !known {
		return "", nil, fmt.Errorf("CHAOS_DATABASE: %q is not sqlite, postgres, mysql or all", kind)
	}
	server := os.Getenv(variable)
	if server == "" {
		return "", nil, fmt.Errorf("%s: %s is not set; run this through scripts/services.sh", kind, variable)
	}
	u, err := url.Parse(server)
	if err != nil {
		return "", nil, fmt.Errorf("%s is malformed", variable) // not the error: it shows the DSN
	}
	name := fmt.Sprintf("chaos_%016x", rand.Uint64())
	if err := administer(ctx, server, "CREATE DATABASE "+name); err != nil {
		return "", nil, err
	}
	force := ""
	if kind == "postgres" {
		force = " WITH (FORCE)"
	}
	drop = func() {
		if err := administer(context.WithoutCancel(ctx), server, "DROP DATABASE "+name+force); err != nil {
			fmt.Fprintln(os.Stderr, "chaos:", err)
		}
	}
	u.Path = "/" + name
	return u.String(), drop, nil
}

func administer(ctx context.Context, dsn, statement string) error {
	db, err := core.Open(ctx, dsn, nil, store.Options{MaxConns: 1})
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.Conn().Exec(ctx, statement, nil)
	return err
}
