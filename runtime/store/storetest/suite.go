package storetest

import (
	"context"
	"testing"
)

// Run holds a driver to what package store promises. open gives a new, empty
// database with the tables of Schema, closed when the test ends.
func Run(t *testing.T, open func(t *testing.T) *DB) {
	t.Helper()
	for _, s := range suites {
		t.Run(s.name, func(t *testing.T) { s.run(t, open(t)) })
	}
}

var suites = []struct {
	name string
	run  func(*testing.T, *DB)
}{
	{"RoundTrip", testRoundTrip},
}

func testRoundTrip(t *testing.T, db *DB) {
	ctx := context.Background()
	a, err := db.Article.Create(ctx, ArticleNew{Slug: "x", Title: "Hello"})
	if err != nil {
		t.Fatal(err)
	}
	b, err := db.Article.Get(ctx, a.ID)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v\n%+v", a, b)
}
