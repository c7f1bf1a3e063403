// Command cache renders pages and keeps them until what they are made of
// changes. It prints:
//
//	rendered hello: Hello, by Ada
//	kept     hello: Hello, by Ada (etag "1-Hello")
//	rendered hello: Hello again, by Ada
//	kept     hello: Hello again, by Grace
//	2 loads for 4 reads ...
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/hegner123/modulagen/examples/cache/generated"
	"github.com/hegner123/modulagen/runtime/cache"
	"github.com/hegner123/modulagen/runtime/store"
	_ "github.com/hegner123/modulagen/runtime/store/sqlite"
)

// Page is a rendered page.
type Page struct {
	Title string
	By    string
}

func main() {
	if err := run(context.Background(), "sqlite::memory:"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, dsn string) error {
	db, err := generated.Open(ctx, dsn, generated.Options{})
	if err != nil {
		return err
	}
	defer db.Close()
	author, err := db.Author.Create(ctx, generated.AuthorNew{Name: "Ada"})
	if err != nil {
		return err
	}
	post, err := db.Post.Create(ctx, generated.PostNew{Title: "Hello", Slug: "hello"})
	if err != nil {
		return err
	}
	pages := cache.New[Page](db.PageCache, cache.Options{})
	read := func() error {
		before := pages.Stats().Loads
		page, err := pages.Fetch(ctx, "/hello", time.Hour, func(ctx context.Context) (Page, error) {
			return render(ctx, db, post.ID, author.ID)
		}, cache.Tags(cache.RowTag("post", post.ID), cache.RowTag("author", author.ID)),
			cache.With(generated.PageCachePatch{Etag: store.Set("1-" + post.Title)}))
		how := "kept    "
		if pages.Stats().Loads > before {
			how = "rendered"
		}
		fmt.Printf("%s %s, by %s\n", how, page.Title, page.By)
		return err
	}
	steps := []func() error{
		read, read,
		func() error { // the page is removed with the commit of the change
			_, err := db.Post.Update(ctx, post.ID, generated.PostPatch{Title: store.Set("Hello again")})
			return err
		},
		read,
		func() error { // another author's change concerns no page
			_, err := db.Author.Create(ctx, generated.AuthorNew{Name: "Grace"})
			return err
		},
		read,
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	row, err := db.PageCache.GetByPath(ctx, "/hello")
	if err != nil {
		return err
	}
	fmt.Printf("%s is %s, %s, %s\n", row.Path, row.ContentType, row.Etag.V, row.Document)
	fmt.Printf("%d loads for 4 reads, hit rate %.0f %%\n", pages.Stats().Loads, 100*pages.Stats().HitRate())
	return nil
}

func render(ctx context.Context, db *generated.DB, post generated.PostID, author generated.AuthorID) (Page, error) {
	p, err := db.Post.Get(ctx, post)
	if err != nil {
		return Page{}, err
	}
	a, err := db.Author.Get(ctx, author)
	if err != nil {
		return Page{}, err
	}
	return Page{Title: p.Title, By: a.Name}, nil
}
