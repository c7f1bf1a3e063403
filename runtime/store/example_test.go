package store_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/hegner123/modulagen/generated"
	"github.com/hegner123/modulagen/runtime/store"
	_ "github.com/hegner123/modulagen/runtime/store/sqlite"
)

// open returns a database in memory with the built-in datatypes.
func open(ctx context.Context) *generated.DB {
	db, err := generated.Open(ctx, "sqlite::memory:", generated.Options{})
	if err != nil {
		log.Fatal(err)
	}
	return db
}

// addEndpoints adds three rows to ask about.
func addEndpoints(ctx context.Context, db *generated.DB) {
	var rows []generated.FetchRequestNew
	for _, name := range []string{"search", "crm", "cdn"} {
		rows = append(rows, generated.FetchRequestNew{Name: name, URL: "https://" + name + ".example.com/hook"})
	}
	if _, err := db.FetchRequests.CreateMany(ctx, rows); err != nil {
		log.Fatal(err)
	}
}

func Example() {
	ctx := context.Background()
	db := open(ctx)
	defer db.Close()

	row, err := db.FetchRequests.Create(ctx, generated.FetchRequestNew{Name: "CRM", URL: "https://crm.example.com/hook"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(row.ID, row.Name, row.Method, row.Active)

	row, err = db.FetchRequests.Update(ctx, row.ID, generated.FetchRequestPatch{Active: store.Set(false)})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(row.Name, row.Active)

	err = db.FetchRequests.Delete(ctx, row.ID)
	_, gone := db.FetchRequests.Get(ctx, row.ID)
	fmt.Println(err, errors.Is(gone, store.ErrNotFound))
	// Output:
	// 1 CRM POST true
	// CRM false
	// <nil> true
}

func ExampleTable_List() {
	ctx := context.Background()
	db := open(ctx)
	defer db.Close()
	addEndpoints(ctx, db)

	f := generated.FetchRequestFields
	q := generated.FetchRequestQuery{
		Where: store.Or(f.Name.Prefix("c"), f.URL.Contains("search")),
		Sort:  []generated.FetchRequestSort{f.Name.Asc()},
		Limit: 2,
	}
	for {
		page, err := db.FetchRequests.List(ctx, q)
		if err != nil {
			log.Fatal(err)
		}
		for _, row := range page.Items {
			fmt.Println(row.Name)
		}
		if page.Next == "" {
			break
		}
		fmt.Println("-- next page")
		q.After = page.Next
	}
	// Output:
	// cdn
	// crm
	// -- next page
	// search
}

func ExampleTable_All() {
	ctx := context.Background()
	db := open(ctx)
	defer db.Close()
	addEndpoints(ctx, db)

	for row, err := range db.FetchRequests.All(ctx, generated.FetchRequestQuery{}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(row.ID, row.Name)
	}
	// Output:
	// 1 search
	// 2 crm
	// 3 cdn
}

func ExampleDB_Tx() {
	ctx := context.Background()
	db := open(ctx)
	defer db.Close()

	refused := errors.New("no budget")
	err := db.Tx(ctx, func(tx *generated.Tx) error {
		if _, err := tx.FetchRequests.Create(ctx, generated.FetchRequestNew{Name: "CRM", URL: "https://crm.example.com"}); err != nil {
			return err
		}
		return refused
	})
	n, _ := db.FetchRequests.Count(ctx, generated.FetchRequestFilter{}, 0)
	fmt.Println(err, n)
	// Output: no budget 0
}

func ExampleValidationError() {
	ctx := context.Background()
	db := open(ctx)
	defer db.Close()

	_, err := db.FetchRequests.Create(ctx, generated.FetchRequestNew{URL: "crm.example.com"})
	var invalid *store.ValidationError
	if errors.As(err, &invalid) {
		for _, v := range invalid.Violations {
			fmt.Println(v.Field, v.Rule)
		}
	}
	// Output:
	// name required
	// url url
}
