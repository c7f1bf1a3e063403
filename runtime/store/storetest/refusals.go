package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
)

func testValidation(t *testing.T, db *DB) {
	ctx := t.Context()
	_, err := db.Article.Create(ctx, ArticleNew{
		Title: "x", Views: store.Int(-1), Status: store.Set(ArticleStatus("gone")),
		Public: store.SetNull[bool](), Data: store.Set(store.JSON("{")), Price: store.Set(dec("1.001")),
		Body: store.Set("nul \x00"), Day: store.Set(store.Date{Year: 2023, Month: 2, Day: 29}),
		CreatedAt: store.Set(time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)),
	})
	wantErr(t, err, store.ErrInvalid)
	var invalid *store.ValidationError
	if !errors.As(err, &invalid) {
		t.Fatal(err)
	}
	var fields []string
	for _, v := range invalid.Violations {
		fields = append(fields, v.Field)
	}
	want := []string{"slug", "title", "body", "status", "views", "price", "public", "created_at", "day", "data"}
	if invalid.Datatype != "article" || !slices.Equal(slices.Compact(fields), want) {
		t.Errorf("violations of %s: %v, want %v (%v)", invalid.Datatype, fields, want, err)
	}
	refused := map[string]ArticlePatch{
		"utf8":   {Title: store.Set("\xff\xfe")},
		"null":   {Views: store.SetNull[int64]()},
		"digits": {Price: store.Set(dec("10000000000000000"))},
		"json":   {Raw: store.Set(store.JSON(`{"a":1}{}`))},
		"max":    {Token: store.Set(strings.Repeat("x", 21))},
		"select": {Mood: store.Set(ArticleStatus("")), Title: store.Set("fine")},
		"nul":    {Data: store.Set(store.JSON(`"\u0000"`))},
	}
	a := mustCreate(t, db, full("a"))
	for name, p := range refused {
		if _, err := db.Article.Update(ctx, a.ID, p); !errors.Is(err, store.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	got, err := db.Article.Get(ctx, a.ID)
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, a, got)
}

func testConflict(t *testing.T, db *DB) {
	ctx := t.Context()
	mustCreate(t, db, full("a"))
	_, err := db.Article.Create(ctx, full("a"))
	var conflict *store.ConflictError
	if !errors.As(err, &conflict) || !errors.Is(err, store.ErrConflict) {
		t.Fatal(err)
	}
	if conflict.Datatype != "article" || conflict.Key != "article_slug_key" || !slices.Equal(conflict.Fields, []string{"slug"}) {
		t.Errorf("conflict is %+v", conflict)
	}
	for range 2 {
		_, err = db.Author.Create(ctx, AuthorNew{Email: store.NewULID() + "@example.com", Realm: store.Set("for key 'x'"), Number: store.Int(1)})
	}
	if !errors.As(err, &conflict) || conflict.Key != "author_realm_number_key" || !slices.Equal(conflict.Fields, []string{"realm", "number"}) {
		t.Errorf("conflict is %v", err)
	}
}

func testReference(t *testing.T, db *DB) {
	ctx := t.Context()
	n := full("a")
	n.Author = store.Set(AuthorID("01ARZ3NDEKTSV4RRFFQ69G5FAV"))
	_, err := db.Article.Create(ctx, n)
	wantErr(t, err, store.ErrReference)
	_, err = db.Article.CreateMany(ctx, []ArticleNew{n})
	wantErr(t, err, store.ErrReference)
	au, err := db.Author.Create(ctx, AuthorNew{Email: "a@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	n.Author = store.Set(au.ID)
	a := mustCreate(t, db, n)
	if a.Author.V != au.ID {
		t.Errorf("author is %v", a.Author)
	}
	wantErr(t, db.Author.Delete(ctx, au.ID), store.ErrReference)
	if err := db.Article.Delete(ctx, a.ID); err != nil {
		t.Fatal(err)
	}
	if err := db.Author.Delete(ctx, au.ID); err != nil {
		t.Error(err)
	}
}

// testSecrets provokes every kind of error with a value that no error may hold.
func testSecrets(t *testing.T, db *DB) {
	ctx := t.Context()
	const secret = "hunter2-hunter2-hunter2-hunter2"
	a := mustCreate(t, db, full("a"))
	n := full(secret)
	mustCreate(t, db, n)
	errs := map[string]error{}
	_, errs["rule"] = db.Article.Update(ctx, a.ID, ArticlePatch{Token: store.Set(secret)})
	_, errs["unique"] = db.Article.Create(ctx, n)
	_, errs["unique patch"] = db.Article.Update(ctx, a.ID, ArticlePatch{Slug: store.Set(secret)})
	_, errs["many"] = db.Article.CreateMany(ctx, []ArticleNew{n})
	_, errs["sort"] = db.Article.List(ctx, store.Query[ArticleID]{Sort: []store.Order[ArticleID]{ArticleFields.Token.Asc()}})
	// What the rules would refuse is sent past them, so that the database does.
	if db.Conn().Dialect().String() != "sqlite" {
		one := [3]string{"?", "$1", "?"}[db.Conn().Dialect()]
		_, errs["long"] = db.Conn().Exec(ctx, "UPDATE article SET token = "+one, []any{strings.Repeat(secret, 10)})
		_, errs["json"] = db.Conn().Exec(ctx, "UPDATE article SET data = "+one, []any{secret})
		wantErr(t, errs["long"], store.ErrInvalid)
	}
	for name, err := range errs {
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		for e := err; e != nil; e = errors.Unwrap(e) {
			if strings.Contains(fmt.Sprintf("%v %+v", e, e), secret) {
				t.Errorf("%s: %v holds the value", name, e)
			}
		}
	}
}
