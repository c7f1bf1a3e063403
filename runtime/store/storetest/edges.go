package storetest

import (
	"strings"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
)

// testFarTimes compares with times and days that no column can hold: they lie
// before or behind every row.
func testFarTimes(t *testing.T, db *DB) {
	mustCreate(t, db, full("full"))
	mustCreate(t, db, ArticleNew{Slug: "bare", Title: "Bare"})
	ends := full("ends")
	ends.CreatedAt = store.Set(time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC))
	ends.EndsAt = store.Set(time.Date(1000, 1, 1, 0, 0, 0, 0, time.UTC))
	ends.Day = store.Set(store.Date{Year: 9999, Month: 12, Day: 31})
	ends.Until = store.Set(store.Date{Year: 1000, Month: 1, Day: 1})
	mustCreate(t, db, ends)
	const all, ended, none = "full bare ends", "full ends", ""
	for _, year := range []int{-300_000, -5, 0, 1, 999, 10_000, 12_345, 290_000} {
		before, behind, endsBefore, endsBehind := none, all, none, ended
		if year > 1000 {
			before, behind, endsBefore, endsBehind = all, none, ended, none
		}
		at := time.Date(year, 6, 1, 0, 0, 0, 0, time.UTC)
		on := store.Date{Year: year, Month: 6, Day: 1}
		for name, c := range map[string]struct {
			cond store.Cond[ArticleID]
			want string
		}{
			"eq": {f.CreatedAt.Eq(at), none}, "ne": {f.CreatedAt.Ne(at), all}, "in": {f.CreatedAt.In(at, noon), "full"},
			"lt": {f.CreatedAt.Lt(at), before}, "lte": {f.CreatedAt.Lte(at), before},
			"gt": {f.CreatedAt.Gt(at), behind}, "gte": {f.CreatedAt.Gte(at), behind},
			"null eq": {f.EndsAt.Eq(at), none}, "null ne": {f.EndsAt.Ne(at), all},
			"null lt": {f.EndsAt.Lt(at), endsBefore}, "null gte": {f.EndsAt.Gte(at), endsBehind},
			"day eq": {f.Day.Eq(on), none}, "day ne": {f.Day.Ne(on), all}, "day in": {f.Day.In(on), none},
			"day lt": {f.Day.Lt(on), before}, "day lte": {f.Day.Lte(on), before},
			"day gt": {f.Day.Gt(on), behind}, "day gte": {f.Day.Gte(on), behind},
			"null day lte": {f.Until.Lte(on), endsBefore}, "null day gt": {f.Until.Gt(on), endsBehind},
			"not lt": {store.Not(f.CreatedAt.Lt(at)), behind}, "not day gte": {store.Not(f.Day.Gte(on)), before},
		} {
			if got := slugs(t, db, c.cond); got != c.want {
				t.Errorf("%d %s: %q, want %q", year, name, got, c.want)
			}
		}
	}
	for _, bad := range []store.Date{{}, {Year: 2023, Month: 2, Day: 30}, {Year: 2023, Month: 13, Day: 1}, {Year: 12_345, Month: 2, Day: 30}} {
		for name, c := range map[string]store.Cond[ArticleID]{"eq": f.Day.Eq(bad), "lt": f.Day.Lt(bad), "in": f.Until.In(bad)} {
			if _, err := db.Article.Count(t.Context(), c, 0); err == nil {
				t.Errorf("%s %v is not refused", name, bad)
			} else {
				wantErr(t, err, store.ErrInvalid)
			}
		}
	}
}

// testStrangeIDs asks for ULIDs that no row can have.
func testStrangeIDs(t *testing.T, db *DB) {
	ctx := t.Context()
	a, err := db.Author.Create(ctx, AuthorNew{Email: "a@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	n := full("a")
	n.Author = store.Set(a.ID)
	mustCreate(t, db, n)
	for _, id := range []AuthorID{
		"", " ", "x", a.ID + " ", a.ID + "x", a.ID + "\x00", a.ID[:25], a.ID[:25] + " ", a.ID[:25] + "\x00", a.ID[:25] + "\xff",
		AuthorID(strings.Repeat("x", 5000)), " " + a.ID,
	} {
		_, err := db.Author.Get(ctx, id)
		wantErr(t, err, store.ErrNotFound)
		_, err = db.Author.Update(ctx, id, AuthorPatch{Realm: store.Set("other")})
		wantErr(t, err, store.ErrNotFound)
		_, err = db.Author.Update(ctx, id, AuthorPatch{})
		wantErr(t, err, store.ErrNotFound)
		wantErr(t, db.Author.Delete(ctx, id), store.ErrNotFound)
		for name, c := range map[string]store.Cond[ArticleID]{
			"eq": f.Author.Eq(id), "in": f.Author.In(id), "not ne": store.Not(f.Author.Ne(id)),
		} {
			if got := slugs(t, db, c); got != "" {
				t.Errorf("%s %q keeps %s", name, id, got)
			}
		}
		if got, err := db.Author.Count(ctx, AuthorFields.ID.In(a.ID, id), 0); err != nil || got != 1 {
			t.Errorf("%q beside an id: %d, %v", id, got, err)
		}
		if id != "" { // a new author without an id is given one
			_, err = db.Author.Create(ctx, AuthorNew{ID: store.Set(id), Email: "b@example.com"})
			wantErr(t, err, store.ErrInvalid)
		}
	}
	if n, err := db.Author.Count(ctx, store.Cond[AuthorID]{}, 0); err != nil || n != 1 {
		t.Errorf("%d authors, %v", n, err)
	}
}

// testWidest runs what the limits of a filter allow, behind a cursor.
func testWidest(t *testing.T, db *DB) {
	ctx := t.Context()
	for _, slug := range []string{"a", "b", "c"} {
		mustCreate(t, db, ArticleNew{Slug: slug, Title: "Title"})
	}
	sort := []store.Order[ArticleID]{f.Body.Asc(), f.Rank.Desc(), f.EndsAt.Asc(), f.Until.Desc(), f.Pinned.Asc(), f.Thumb.Asc(), f.Discount.Desc(), f.Mood.Asc()}
	some := make([]store.Cond[ArticleID], 998) // with the Or itself and a Not, every condition there may be
	for i := range some {
		some[i] = f.Rank.Ne(int64(i))
	}
	nested := f.Rank.Ne(0)
	for i := range 60 {
		kids := []store.Cond[ArticleID]{nested}
		for k := range 4 { // a Between is three conditions
			kids = append(kids, f.Rank.Between(int64(k), int64(i)))
		}
		if nested = store.And(kids...); i%2 == 0 {
			nested = store.Or(kids...)
		}
	}
	for name, c := range map[string]store.Cond[ArticleID]{
		"or": store.Or(some...), "and": store.And(some...), "not": store.Not(store.Not(store.Or(some[1:]...))),
		"nested": store.Or(f.Views.Eq(0), nested),
	} {
		q := store.Query[ArticleID]{Where: c, Sort: sort, Limit: 2}
		first, err := db.Article.List(ctx, q)
		if err != nil || len(first.Items) != 2 || first.Next == "" {
			t.Errorf("%s: %d rows, %v", name, len(first.Items), err)
			continue
		}
		q.After = first.Next
		if second, err := db.Article.List(ctx, q); err != nil || len(second.Items) != 1 {
			t.Errorf("%s: %d rows behind the cursor, %v", name, len(second.Items), err)
		}
	}
}

// testLongCursor ends a page at a row whose sort value no cursor holds.
func testLongCursor(t *testing.T, db *DB) {
	ctx := t.Context()
	for i, slug := range []string{"a", "b", "c"} {
		body := strings.Repeat(slug, 100_000*min(i, 1)+10)
		mustCreate(t, db, ArticleNew{Slug: slug, Title: "Title", Body: store.Set(body)})
	}
	q := store.Query[ArticleID]{Sort: []store.Order[ArticleID]{f.Body.Asc()}, Limit: 1}
	var got string
	for range 2 {
		page, err := db.Article.List(ctx, q)
		if err != nil || len(page.Items) != 1 || page.Next == "" {
			t.Fatalf("after %q: %d rows, %v", got, len(page.Items), err)
		}
		got += page.Items[0].Slug
		q.After = page.Next
	}
	_, err := db.Article.List(ctx, q)
	wantErr(t, err, store.ErrInvalid)
	if err == nil || got != "ab" || !strings.Contains(err.Error(), "65536 bytes") {
		t.Errorf("after %q: %v", got, err)
	}
	q.After, q.Limit = "", 0
	if page, err := db.Article.List(ctx, q); err != nil || len(page.Items) != 3 || page.Next != "" {
		t.Errorf("a page of all: %d rows, %v", len(page.Items), err)
	}
}
