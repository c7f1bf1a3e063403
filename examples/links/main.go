// Command links shortens addresses, in a database that need not be SQLite:
//
//	go run ./examples/links -listen :8080 -db sqlite:links.db
//	curl -d code=go -d target=https://go.dev localhost:8080/owners/1/links
//	curl -i localhost:8080/go
//	curl localhost:8080/owners/1/report
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"time"

	"github.com/hegner123/modulagen/examples/links/generated"
	"github.com/hegner123/modulagen/runtime/store"
	_ "github.com/hegner123/modulagen/runtime/store/mysql"
	_ "github.com/hegner123/modulagen/runtime/store/postgres"
	_ "github.com/hegner123/modulagen/runtime/store/sqlite"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8080", "where to listen")
	dsn := flag.String("db", "sqlite:links.db", "the database")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *listen, *dsn); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, listen, dsn string) error {
	db, err := generated.Open(ctx, dsn, generated.Options{})
	if err != nil {
		return err
	}
	defer db.Close()
	first, err := db.Owner.First(ctx, generated.OwnerQuery{})
	if errors.Is(err, store.ErrNotFound) {
		first, err = db.Owner.Create(ctx, generated.OwnerNew{Name: "First"})
	}
	if err != nil {
		return err
	}
	fmt.Printf("%s has the links under http://%s/owners/%d/links\n", first.Name, listen, first.ID)
	a := &app{db: db, now: time.Now}
	server := &http.Server{Addr: listen, Handler: a.routes(), ReadHeaderTimeout: 5 * time.Second}
	ended := context.AfterFunc(ctx, func() { server.Close() })
	defer ended()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	_, err = a.expire(context.WithoutCancel(ctx))
	return err
}
