package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
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
		_, err = db.Author.Create(ctx, AuthorNew{Email: core.NewULID() + "@example.com", Realm: store.Set("for key 'x'"), Number: store.Int(1)})
	}
	wantConflict(t, err, "author_realm_number_key", "realm", "number")
	_, err = db.Author.UpsertUnique(ctx, 0, AuthorNew{Email: "other@example.com", Realm: store.Set("for key 'x'"), Number: store.Int(1)})
	wantConflict(t, err, "author_realm_number_key", "realm", "number")
	text := "INSERT INTO author (id, email, realm) SELECT '01ARZ3NDEKTSV4RRFFQ69G5FAV', email, realm FROM author"
	_, err = core.Exec(ctx, db.Conn(), &core.Statement{Text: [3]string{text, text, text}}, nil)
	wantConflict(t, err, "author_email_key", "email")
}

func wantConflict(t *testing.T, err error, key string, fields ...string) {
	t.Helper()
	var conflict *store.ConflictError
	if !errors.As(err, &conflict) || conflict.Key != key || !slices.Equal(conflict.Fields, fields) || conflict.Datatype == "" {
		t.Errorf("conflict is %+v, %v", conflict, err)
	}
}

// testPartialConflict has two rows collide on a unique index over some rows.
func testPartialConflict(t *testing.T, dsn string) {
	schema := Schema()
	partial := "CREATE UNIQUE INDEX article_rank_when_pinned ON article (%s) WHERE pinned = %s;\n"
	schema.DDL[0] += fmt.Sprintf(partial, "rank", "1")
	schema.DDL[1] += fmt.Sprintf(partial, "rank", "TRUE")
	schema.DDL[2] = strings.Replace(schema.DDL[2], "    CONSTRAINT article_author_fk ",
		"    when_pinned tinyint(1) GENERATED ALWAYS AS (CASE WHEN pinned THEN 1 END) VIRTUAL,\n"+
			"    UNIQUE KEY article_rank_when_pinned (`rank`, when_pinned),\n    CONSTRAINT article_author_fk ", 1)
	article := &schema.Tables[1]
	article.Generated = []core.Column{{Name: "when_pinned", Null: true, Types: [3]string{"", "", "tinyint(1)"}}}
	article.Indexes = append(slices.Clone(article.Indexes),
		core.Index{Name: "article_rank_when_pinned", Columns: []int{7}, Unique: true, Partial: true})
	raw, err := core.Open(t.Context(), dsn, schema, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	db := On(raw)
	for i, slug := range []string{"a", "b", "c"} {
		n := full(slug)
		n.Rank, n.Pinned = store.Int(7), store.Set(i > 0)
		_, err = db.Article.Create(t.Context(), n)
		if i < 2 && err != nil {
			t.Fatal(err)
		}
	}
	wantConflict(t, err, "article_rank_when_pinned", "rank")
}

func testReference(t *testing.T, db *DB) {
	ctx := t.Context()
	n := full("a")
	n.Author = store.Set(AuthorID("01ARZ3NDEKTSV4RRFFQ69G5FAV"))
	const missing = "store: article: author points to a row of author that does not exist"
	_, err := db.Article.Create(ctx, n)
	wantReference(t, err, missing)
	_, err = db.Article.CreateMany(ctx, []ArticleNew{full("first"), full("second"), n})
	wantReference(t, err, missing)
	au, err := db.Author.Create(ctx, AuthorNew{Email: "a@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.Article.UpsertUnique(ctx, 0, n)
	wantReference(t, err, missing)
	n.Author = store.Set(au.ID)
	a := mustCreate(t, db, n)
	if a.Author.V != au.ID {
		t.Errorf("author is %v", a.Author)
	}
	err = db.Tx(ctx, func(c *core.Conn) error {
		_, err := In(c).Article.Update(ctx, a.ID, ArticlePatch{Author: store.Set(AuthorID("01ARZ3NDEKTSV4RRFFQ69G5FAV"))})
		wantReference(t, err, missing)
		return err
	})
	wantReference(t, err, missing)
	wantReference(t, db.Author.Delete(ctx, au.ID), "store: author: the row is still pointed to by author of article")
	_, err = db.Author.DeleteWhere(ctx, store.Everything[AuthorID]())
	wantErr(t, err, store.ErrReference)
	if !strings.Contains(err.Error(), "still pointed to by") {
		t.Errorf("the error is %v", err)
	}
	if err := db.Article.Delete(ctx, a.ID); err != nil {
		t.Fatal(err)
	}
	if err := db.Author.Delete(ctx, au.ID); err != nil {
		t.Error(err)
	}
}

func wantReference(t *testing.T, err error, text string) {
	t.Helper()
	var e *store.ReferenceError
	if !errors.Is(err, store.ErrReference) || !errors.As(err, &e) || err.Error() != text {
		t.Errorf("error is %v, want %s", err, text)
		return
	}
	if e.Field != "author" || e.From != "article" || e.To != "author" || e.Missing == e.Pointed || e.Cause == nil {
		t.Errorf("reference is %+v", e)
	}
	if strings.Contains(fmt.Sprintf("%+v", e.Cause), "01ARZ3NDEKTSV4RRFFQ69G5FAV") {
		t.Errorf("%v holds a value", e.Cause)
	}
}

// testRefusals sends values past the rules, so that the database refuses them.
func testRefusals(t *testing.T, db *DB) {
	ctx := t.Context()
	mustCreate(t, db, full("a"))
	for text, want := range map[string]store.Violation{
		"UPDATE article SET status = 'gone'": {Field: "status", Rule: "check"},
		"UPDATE article SET title = NULL":    {Field: "title", Rule: "null"},
	} {
		_, err := core.Exec(ctx, db.Conn(), &core.Statement{Text: [3]string{text, text, text}}, nil)
		var invalid *store.ValidationError
		if !errors.As(err, &invalid) || !errors.Is(err, store.ErrInvalid) {
			t.Errorf("%s: %v", text, err)
			continue
		}
		got := invalid.Violations[0]
		// Which table it was, MySQL does not say of a NULL.
		if got.Field != want.Field || got.Rule != want.Rule || want.Rule == "check" && invalid.Datatype != "article" {
			t.Errorf("%s: %s: %+v, want %+v", text, invalid.Datatype, got, want)
		}
		if strings.Contains(err.Error(), "gone") || errors.Unwrap(err) == nil {
			t.Errorf("%s: %v", text, err)
		}
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

// testUnreadable reads a text into places that hold something else: the errors do
// not quote it.
func testUnreadable(t *testing.T, db *DB) {
	ctx := t.Context()
	const secret = "hunter2"
	for _, dest := range []any{
		new(int64), new(float64), new(bool), new(time.Time), new(store.Date), new(store.Decimal), core.DecimalField(new(store.Decimal), 2),
		new(store.Null[int64]), new(store.Null[float64]), new(store.Null[bool]), new(store.Null[time.Time]), new(store.Null[store.Date]),
		new(store.Null[store.Decimal]), core.JSONField(new(Meta)), core.NullJSONField(new(store.Null[Meta])),
	} {
		err := db.Conn().QueryRow(ctx, "SELECT '"+secret+"' AS x", nil, []any{dest})
		if err == nil || strings.Contains(fmt.Sprintf("%v %#v", err, err), secret) {
			t.Errorf("into %T: %v", dest, err)
		}
	}
}
