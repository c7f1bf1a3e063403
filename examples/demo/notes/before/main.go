// Command notes writes three notes, as its definitions are at first.
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
	for i, n := range []generated.NoteNew{
		{Title: "Bread", Body: store.Set("flour, water, salt"), Stars: store.Set(int64(3)), Status: store.Set(generated.NoteStatusPublished)},
		{Title: "Soup", Stars: store.Set(int64(5))},
		{Title: "Überraschung", Body: store.Set(""), Status: store.Set(generated.NoteStatusPublished), Obsolete: store.Set("x")},
	} {
		if _, err := db.Note.Create(ctx, n); err != nil {
			return fmt.Errorf("note %d: %w", i+1, err)
		}
	}
	return nil
}
