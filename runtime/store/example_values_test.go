package store_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/hegner123/modulagen/generated"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/store/storetest"
)

func ExampleParseDecimal() {
	price, err := store.ParseDecimal("19.90")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(price.StringFixed(2), price.Add(price))
	_, err = store.ParseDecimal("19,90")
	fmt.Println(err, errors.Is(err, store.ErrInvalid))
	// Output:
	// 19.90 39.8
	// store: invalid: "19,90" is not a decimal such as 19.99 true
}

func ExampleParseDate() {
	day, err := store.ParseDate("2028-02-29")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(day, day.Time().Weekday())
	_, err = store.ParseDate("29.2.2028")
	fmt.Println(err, errors.Is(err, store.ErrInvalid))
	// Output:
	// 2028-02-29 Tuesday
	// store: invalid: "29.2.2028" is not a date such as 2006-01-02 true
}

func ExampleDate() {
	day := store.Date{Year: 2026, Month: time.January, Day: 16}
	due := store.DateOf(day.Time().AddDate(0, 0, 30))
	fmt.Println(due, day.Compare(due) < 0, store.Date{}.Valid())
	// Output: 2026-02-15 true false
}

// A json field whose definition names no type holds a document.
func ExampleJSON() {
	ctx := context.Background()
	db := open(ctx)
	defer db.Close()

	entry, err := db.CacheEntry.Create(ctx, generated.CacheEntryNew{Key: "front", Value: store.JSON(`{"views": 3}`)})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(entry.Value))
	// Output: {"views": 3}
}

// A json field whose definition names fields or a Go type holds that type.
func ExampleJSONField() {
	ctx := context.Background()
	raw, err := core.Open(ctx, "sqlite::memory:", storetest.Schema(), store.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer raw.Close()
	db := storetest.On(raw)

	article, err := db.Article.Create(ctx, storetest.ArticleNew{
		Slug: "hello", Title: "Hello", Meta: store.Set(storetest.Meta{Tags: []string{"go", "sql"}}),
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(article.Meta.Tags)
	// Output: [go sql]
}
