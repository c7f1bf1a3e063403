// Command notes lists what it has written before its definitions changed.
package main

import (
	"context"
	"fmt"
	"log"

	_ "github.com/hegner123/modulagen/runtime/store/sqlite"

	"github.com/hegner123/modulagen/runtime/store"

	"notes/generated"
)

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	db, err := generated.Open(ctx, "sqlite:notes.db", generated.Options{Migrate: store.MigrateUp})
	if err != nil {
		return err
	}
	defer db.Close()
	for memo, err := range db.Memo.All(ctx, generated.MemoQuery{}) {
		if err != nil {
			return err
		}
		fmt.Printf("%d: %s by %s, %s, %s stars, body %v %q\n", memo.ID, memo.Headline, memo.Author, memo.Status, memo.Stars, memo.Body.Valid, memo.Body.V)
	}
	return nil
}
