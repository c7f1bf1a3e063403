package cache_test

import (
	"context"
	"fmt"
	"time"

	"github.com/hegner123/modulagen/generated"
	"github.com/hegner123/modulagen/runtime/cache"
	_ "github.com/hegner123/modulagen/runtime/store/sqlite"
)

// A page is rendered once, until something that it is made of changes.
func Example() {
	ctx := context.Background()
	db, err := generated.Open(ctx, "sqlite::memory:", generated.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer db.Close()

	type Page struct{ Title string }
	render := func(context.Context) (Page, error) {
		fmt.Println("rendering")
		return Page{Title: "Hello"}, nil
	}

	pages := cache.New[Page](db.CacheEntry, cache.Options{})
	for range 2 {
		page, err := pages.Fetch(ctx, "page:42", time.Hour, render, cache.Tags("page", "author:7"))
		fmt.Println(page.Title, err)
	}
	n, err := pages.InvalidateTags(ctx, "author:7")
	fmt.Println(n, err)
	_, ok := pages.Get(ctx, "page:42")
	fmt.Println(ok)
	// Output:
	// rendering
	// Hello <nil>
	// Hello <nil>
	// 1 <nil>
	// false
}

// A counter that several programs add to.
func ExampleCache_Increment() {
	ctx := context.Background()
	db, err := generated.Open(ctx, "sqlite::memory:", generated.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer db.Close()

	visits := cache.New[int](db.CacheEntry, cache.Options{Prefix: "visits:"})
	for range 3 {
		n, err := visits.Increment(ctx, "home", 1, 24*time.Hour)
		fmt.Println(n, err)
	}
	// Output:
	// 1 <nil>
	// 2 <nil>
	// 3 <nil>
}

// In a transaction the cache sees what it wrote; others see it after the commit.
func ExampleCache_In() {
	ctx := context.Background()
	db, err := generated.Open(ctx, "sqlite::memory:", generated.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer db.Close()

	titles := cache.New[string](db.CacheEntry, cache.Options{})
	err = db.Tx(ctx, func(tx *generated.Tx) error {
		in := titles.In(tx.CacheEntry)
		if err := in.Set(ctx, "title", "Hello", time.Hour); err != nil {
			return err
		}
		title, ok := in.Get(ctx, "title")
		fmt.Println(title, ok)
		return nil
	})
	title, ok := titles.Get(ctx, "title")
	fmt.Println(title, ok, err)
	// Output:
	// Hello true
	// Hello true <nil>
}
