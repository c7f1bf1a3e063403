package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

func wantErr(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("error is %v, want %v", err, want)
	}
}

func testUpdate(t *testing.T, db *DB) {
	ctx := t.Context()
	a := mustCreate(t, db, full("a"))
	other := mustCreate(t, db, full("other"))
	got, err := db.Article.Update(ctx, a.ID, ArticlePatch{
		Title: store.Set("New"), Body: store.SetNull[string](), Price: store.Set(dec("1")), Views: store.Int(0),
		Mood: store.Set(ArticleStatusPublished), CreatedAt: store.Set(noon.Add(time.Nanosecond)),
		More: store.SetNull[Meta](), Public: store.Set(true), Thumb: store.Set([]byte("x")),
	})
	if err != nil {
		t.Fatal(err)
	}
	want := *a
	want.Title, want.Body, want.Price, want.Views = "New", store.Null[string]{}, dec("1.00"), 0
	want.Mood, want.More, want.Public = store.Some(ArticleStatusPublished), store.Null[Meta]{}, true
	want.Thumb = store.Some([]byte("x"))
	wantSame(t, &want, got)
	again, err := db.Article.Update(ctx, a.ID, ArticlePatch{Title: store.Set("New")}) // changes nothing: still found
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, &want, again)
	read, err := db.Article.Update(ctx, a.ID, ArticlePatch{})
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, &want, read)
	untouched, err := db.Article.Get(ctx, other.ID)
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, other, untouched)
	_, err = db.Article.Update(ctx, 999, ArticlePatch{Title: store.Set("New")})
	wantErr(t, err, store.ErrNotFound)
	_, err = db.Article.Update(ctx, 999, ArticlePatch{})
	wantErr(t, err, store.ErrNotFound)
	_, err = db.Article.Update(ctx, a.ID, ArticlePatch{Slug: store.Set("other")})
	wantErr(t, err, store.ErrConflict)
	_, err = db.Article.Update(ctx, a.ID, ArticlePatch{Title: store.SetNull[string]()})
	wantErr(t, err, store.ErrInvalid)
}

func testUpsert(t *testing.T, db *DB) {
	ctx := t.Context()
	a, err := db.Article.UpsertUnique(ctx, 0, full("a"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := db.Article.Get(ctx, a.ID)
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, a, got)
	b, err := db.Article.UpsertUnique(ctx, 0, ArticleNew{Slug: "a", Title: "Second", Rank: store.SetNull[int64](), Views: store.Int(5)})
	if err != nil {
		t.Fatal(err)
	}
	want := *a
	want.Title, want.Rank, want.Views = "Second", store.Null[int64]{}, 5 // what was not given stays
	wantSame(t, &want, b)
	if n, _ := db.Article.Count(ctx, store.Everything[ArticleID](), 0); n != 1 {
		t.Errorf("%d rows after two upserts of one key", n)
	}
	au, err := db.Author.UpsertUnique(ctx, 1, AuthorNew{Email: "a@example.com", Number: store.Int(1)})
	if err != nil {
		t.Fatal(err)
	}
	bu, err := db.Author.UpsertUnique(ctx, 1, AuthorNew{Email: "b@example.com", Number: store.Int(1)})
	if err != nil {
		t.Fatal(err)
	}
	if bu.ID != au.ID || bu.Email != "b@example.com" || bu.Realm != "main" {
		t.Errorf("upsert by two columns gave %+v after %+v", bu, au)
	}
	_, err = db.Author.UpsertUnique(ctx, 1, AuthorNew{Email: "c@example.com"})
	wantErr(t, err, store.ErrInvalid) // a null key is never the same as another
}

// testUpsertCollides has the row collide on another key than the one meant.
func testUpsertCollides(t *testing.T, db *DB) {
	ctx := t.Context()
	a, err := db.Author.Create(ctx, AuthorNew{Email: "a@example.com", Number: store.Int(1)})
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.Author.UpsertUnique(ctx, 1, AuthorNew{Email: "a@example.com", Number: store.Int(2)})
	wantErr(t, err, store.ErrConflict)
	got, err := db.Author.Get(ctx, a.ID)
	if err != nil || *got != *a {
		t.Errorf("the colliding row became %+v, %v", got, err)
	}
	if n, _ := db.Author.Count(ctx, store.Everything[AuthorID](), 0); n != 1 {
		t.Errorf("%d rows", n)
	}
	// A row with the key that is meant is there, and one with the other key too.
	b, err := db.Author.Create(ctx, AuthorNew{Email: "b@example.com", Number: store.Int(2)})
	if err != nil {
		t.Fatal(err)
	}
	for key, n := range map[int]AuthorNew{
		1: {Email: "b@example.com", Number: store.Int(1)},
		0: {Email: "a@example.com", Number: store.Int(2)},
	} {
		_, err = db.Author.UpsertUnique(ctx, key, n)
		conflict, ok := errors.AsType[*store.ConflictError](err)
		if other := []string{"author_realm_number_key", "author_email_key"}[key]; !ok || conflict.Key != other {
			t.Errorf("upsert by key %d gave %v, want a conflict on %s", key, err, other)
		}
	}
	err = db.Tx(ctx, func(c *core.Conn) error { // it has failed, though its function goes on
		_, err := In(c).Author.UpsertUnique(ctx, 1, AuthorNew{Email: "a@example.com", Number: store.Int(3)})
		wantErr(t, err, store.ErrConflict)
		return nil
	})
	wantErr(t, err, store.ErrConflict)
	for _, want := range []*Author{a, b} {
		if got, err := db.Author.Get(ctx, want.ID); err != nil || *got != *want {
			t.Errorf("%+v became %+v, %v", want, got, err)
		}
	}
}

// testUpsertAtOnce has many writers upsert few keys, alone and in transactions:
// each finds a row or adds the one that there is.
func testUpsertAtOnce(t *testing.T, db *DB) {
	ctx := t.Context()
	var all sync.WaitGroup
	for w := range 8 {
		all.Go(func() {
			for i := range 10 {
				n := ArticleNew{Slug: fmt.Sprint(i), Title: "Title", Views: store.Int(int64(w))}
				upsert := func(a *Table[Article, ArticleID, ArticleNew, ArticlePatch]) error {
					got, err := a.UpsertUnique(ctx, 0, n)
					if err == nil && (got.Slug != n.Slug || got.Views != int64(w)) {
						err = fmt.Errorf("%+v came back as %+v", n, got)
					}
					return err
				}
				err := upsert(&db.Article)
				if err == nil {
					err = db.Tx(ctx, func(c *core.Conn) error { return upsert(&In(c).Article) })
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if n, err := db.Article.Count(ctx, store.Cond[ArticleID]{}, 0); err != nil || n != 10 {
		t.Errorf("%d rows, %v", n, err)
	}
}

func testKeys(t *testing.T, db *DB) {
	ctx := t.Context()
	a, err := db.Author.Create(ctx, AuthorNew{Email: "a@example.com", Realm: store.Set("r"), Number: store.Int(3)})
	if err != nil {
		t.Fatal(err)
	}
	if len(a.ID) != 26 {
		t.Errorf("id is %q", a.ID)
	}
	b, err := db.Author.GetUnique(ctx, 1, "r", int64(3))
	if err != nil || *b != *a {
		t.Errorf("by key: %+v, %v", b, err)
	}
	_, err = db.Author.GetUnique(ctx, 1, "r", int64(4))
	wantErr(t, err, store.ErrNotFound)
	for _, other := range []string{"r ", "R", " r", ""} {
		_, err = db.Author.GetUnique(ctx, 1, other, int64(3))
		wantErr(t, err, store.ErrNotFound)
	}
	_, err = db.Author.GetUnique(ctx, 1, "r", nil)
	wantErr(t, err, store.ErrNotFound)
	_, err = db.Author.GetUnique(ctx, 1, "r")
	wantErr(t, err, store.ErrInvalid)
	_, err = db.Author.Get(ctx, "01ARZ3NDEKTSV4RRFFQ69G5FAV")
	wantErr(t, err, store.ErrNotFound)
	_, err = db.Article.Get(ctx, -1)
	wantErr(t, err, store.ErrNotFound)
	for range 2 { // nulls do not collide
		if _, err := db.Author.Create(ctx, AuthorNew{Email: core.NewULID() + "@example.com"}); err != nil {
			t.Error(err)
		}
	}
	own, err := db.Author.Create(ctx, AuthorNew{ID: store.Set(AuthorID("01ARZ3NDEKTSV4RRFFQ69G5FAV")), Email: "o@example.com"})
	if err != nil || own.ID != "01ARZ3NDEKTSV4RRFFQ69G5FAV" {
		t.Errorf("own id: %+v, %v", own, err)
	}
	_, err = db.Author.Create(ctx, AuthorNew{ID: store.Set(own.ID), Email: "p@example.com"})
	wantErr(t, err, store.ErrConflict)
}

func testDelete(t *testing.T, db *DB) {
	ctx := t.Context()
	a := mustCreate(t, db, full("a"))
	if err := db.Article.Delete(ctx, a.ID); err != nil {
		t.Fatal(err)
	}
	wantErr(t, db.Article.Delete(ctx, a.ID), store.ErrNotFound)
	_, err := db.Article.Get(ctx, a.ID)
	wantErr(t, err, store.ErrNotFound)
	if b := mustCreate(t, db, full("a")); b.ID <= a.ID {
		t.Errorf("id %d is given again after %d", b.ID, a.ID)
	}
}

func testDeleteWhere(t *testing.T, db *DB) {
	ctx := t.Context()
	for i := range 10 {
		n := full(fmt.Sprint(i))
		n.Views = store.Int(int64(i))
		mustCreate(t, db, n)
	}
	zero, one := store.Cond[ArticleID]{}, ArticleFields.Views.Eq(1)
	and, or, not := store.And[ArticleID], store.Or[ArticleID], store.Not[ArticleID]
	for name, all := range map[string]store.Cond[ArticleID]{
		"zero": zero, "and()": and(), "and of zero": and(zero, and()), "or with zero": or(one, zero),
		"not(or())": not(or()), "not in()": not(ArticleFields.Views.In()), "not(not(and()))": not(not(and())),
		"not(and(or(), one))": not(and(or(), one)),
	} {
		if n, err := db.Article.DeleteWhere(ctx, all); !errors.Is(err, store.ErrInvalid) {
			t.Errorf("%s: deleted %d, %v", name, n, err)
		}
	}
	for name, none := range map[string]store.Cond[ArticleID]{"or()": or(), "not zero": not(zero), "and(or(), zero)": and(or(), zero)} {
		if n, err := db.Article.DeleteWhere(ctx, none); n != 0 || err != nil {
			t.Errorf("%s: deleted %d, %v", name, n, err)
		}
	}
	n, err := db.Article.DeleteWhere(ctx, ArticleFields.Views.Lt(3))
	if err != nil || n != 3 {
		t.Errorf("deleted %d, %v", n, err)
	}
	n, err = db.Article.DeleteWhere(ctx, ArticleFields.Views.In())
	if err != nil || n != 0 {
		t.Errorf("deleted %d of an empty list, %v", n, err)
	}
	n, err = db.Article.DeleteWhere(ctx, store.Everything[ArticleID]())
	if err != nil || n != 7 {
		t.Errorf("deleted %d, %v", n, err)
	}
}

// testDeleteSomeAtOnce has several delete rows of a table without effects, each of which one of them gets.
func testDeleteSomeAtOnce(t *testing.T, db *DB) {
	ctx := t.Context()
	const rows = 300
	ns := make([]ArticleNew, rows)
	for i := range ns {
		ns[i] = full(fmt.Sprint(i))
	}
	if _, err := db.Article.CreateMany(ctx, ns); err != nil {
		t.Fatal(err)
	}
	var total atomic.Int64
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				n, err := db.Article.DeleteSome(ctx, store.Everything[ArticleID](), 20)
				if err != nil {
					t.Error(err)
				}
				if total.Add(n); n == 0 {
					return
				}
			}
		})
	}
	wg.Wait()
	left, err := db.Article.Count(ctx, store.Everything[ArticleID](), 0)
	if err != nil || left != 0 || total.Load() != rows {
		t.Errorf("%d are left and %d were deleted of %d, %v", left, total.Load(), rows, err)
	}
}

func testCreateMany(t *testing.T, db *DB) {
	ctx := t.Context()
	if ids, err := db.Article.CreateMany(ctx, nil); err != nil || len(ids) != 0 {
		t.Errorf("none: %v, %v", ids, err)
	}
	mustCreate(t, db, full("first"))
	var ns []ArticleNew
	for i := range 777 {
		n := full(fmt.Sprintf("many-%d", i))
		n.Views = store.Int(int64(i))
		if i%3 == 0 {
			n.Body, n.Price = store.Opt[string]{}, store.Opt[store.Decimal]{}
		}
		ns = append(ns, n)
	}
	ids, err := db.Article.CreateMany(ctx, ns)
	if err != nil {
		t.Fatal(err)
	}
	if len(ids) != len(ns) || !slices.IsSorted(ids) {
		t.Fatalf("%d ids, sorted: %v", len(ids), slices.IsSorted(ids))
	}
	for i, id := range ids {
		a, err := db.Article.Get(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		if a.Views != int64(i) || a.Slug != ns[i].Slug || a.Body.Valid == (i%3 == 0) {
			t.Fatalf("id %d is not row %d: %+v", id, i, a)
		}
	}
	after := mustCreate(t, db, full("after"))
	if after.ID <= ids[len(ids)-1] {
		t.Errorf("id %d after %d", after.ID, ids[len(ids)-1])
	}
	one := full("bulk")
	made, err := db.Article.CreateMany(ctx, []ArticleNew{one})
	if err != nil {
		t.Fatal(err)
	}
	one.Slug = "single"
	single := mustCreate(t, db, one)
	single.ID, single.Slug = made[0], "bulk"
	got, err := db.Article.Get(ctx, made[0])
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, single, got)
	authors, err := db.Author.CreateMany(ctx, []AuthorNew{{Email: "a@example.com"}, {Email: "b@example.com"}})
	if err != nil || len(authors) != 2 || authors[0] >= authors[1] {
		t.Errorf("authors: %v, %v", authors, err)
	}
}

// testCreateManyBytes adds rows that are more, together, than a server takes in
// one statement.
func testCreateManyBytes(t *testing.T, db *DB) {
	body := strings.Repeat("x", 70_000)
	ns := make([]ArticleNew, 260)
	for i := range ns {
		ns[i] = ArticleNew{Slug: fmt.Sprint(i), Title: "Title", Body: store.Set(fmt.Sprint(i, body))}
	}
	ns[100].Body = store.Set(strings.Repeat("y", 9_000_000)) // more than a chunk's share, by itself
	ids, err := db.Article.CreateMany(t.Context(), ns)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range []int{0, 99, 100, 101, 259} {
		if a, err := db.Article.Get(t.Context(), ids[i]); err != nil || a.Slug != ns[i].Slug || len(a.Body.V) < 70_000 {
			t.Errorf("row %d: %v", i, err)
		}
	}
}

func testCreateManyAllOrNothing(t *testing.T, db *DB) {
	ctx := t.Context()
	mustCreate(t, db, full("taken"))
	_, err := db.Article.CreateMany(ctx, []ArticleNew{full("a"), full("b"), full("taken"), full("c")})
	var conflict *store.ConflictError
	if !errors.As(err, &conflict) || conflict.Datatype != "article" || !slices.Equal(conflict.Fields, []string{"slug"}) {
		t.Errorf("conflict: %v", err)
	}
	_, err = db.Article.CreateMany(ctx, []ArticleNew{full("a"), {Slug: "b"}, {}})
	var invalid *store.ValidationError
	if !errors.As(err, &invalid) || invalid.Row != 1 {
		t.Errorf("validation: %v", err)
	}
	var ns []ArticleNew // in several statements, of which the last fails
	for i := range 400 {
		ns = append(ns, full(fmt.Sprint(i)))
	}
	_, err = db.Article.CreateMany(ctx, append(ns, full("taken")))
	wantErr(t, err, store.ErrConflict)
	if n, _ := db.Article.Count(ctx, store.Cond[ArticleID]{}, 0); n != 1 {
		t.Errorf("%d rows after three failures", n)
	}
}
