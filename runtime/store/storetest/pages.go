package storetest

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

func testPages(t *testing.T, db *DB) {
	ctx := t.Context()
	for i := range 7 {
		n := full(fmt.Sprint(i))
		n.Views = store.Int(int64(i / 3))
		mustCreate(t, db, n)
	}
	q := store.Query[ArticleID]{Sort: []store.Order[ArticleID]{f.Views.Desc()}, Limit: 3}
	var got []string
	for {
		page, err := db.Article.List(ctx, q)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range page.Items {
			got = append(got, a.Slug)
		}
		got = append(got, "/")
		if page.Next == "" {
			break
		}
		q.After = page.Next
	}
	if s := strings.Join(got, ""); s != "6"+"34"+"/"+"501"+"/"+"2"+"/" {
		t.Errorf("pages are %s", s)
	}
	empty, err := db.Article.List(ctx, store.Query[ArticleID]{Where: f.Views.Gt(100)})
	if err != nil || empty.Next != "" || empty.Items == nil || len(empty.Items) != 0 {
		t.Errorf("empty page: %+v, %v", empty, err)
	}
	exact, err := db.Article.List(ctx, store.Query[ArticleID]{Limit: 7})
	if err != nil || exact.Next != "" || len(exact.Items) != 7 {
		t.Errorf("a page of everything goes on: %q, %v", exact.Next, err)
	}
	first, err := db.Article.First(ctx, store.Query[ArticleID]{Sort: []store.Order[ArticleID]{f.Slug.Desc()}})
	if err != nil || first.Slug != "6" {
		t.Errorf("first is %+v, %v", first, err)
	}
	_, err = db.Article.First(ctx, store.Query[ArticleID]{Where: f.Views.Gt(100)})
	wantErr(t, err, store.ErrNotFound)
}

// sortable is a column and what its order means.
type sortable struct {
	asc, desc store.Order[ArticleID]
	compare   func(a, b *Article) int
}

func sortBy[T any](col store.Col[ArticleID, T], get func(*Article) (T, bool), compare func(a, b T) int) sortable {
	return sortable{col.Asc(), col.Desc(), func(a, b *Article) int {
		x, xok := get(a)
		y, yok := get(b)
		if !xok || !yok {
			return compareBool(xok, yok)
		}
		return compare(x, y)
	}}
}

func sortables() []sortable {
	return []sortable{
		sortBy(f.Views, always(func(a *Article) int64 { return a.Views }), cmp.Compare),
		sortBy(f.Rank, nullable(func(a *Article) store.Null[int64] { return a.Rank }), cmp.Compare),
		sortBy(f.Price, always(func(a *Article) store.Decimal { return a.Price }), store.Decimal.Cmp),
		sortBy(f.Discount, nullable(func(a *Article) store.Null[store.Decimal] { return a.Discount }), store.Decimal.Cmp),
		sortBy(f.EndsAt, nullable(func(a *Article) store.Null[time.Time] { return a.EndsAt }), time.Time.Compare),
		sortBy(f.Until, nullable(func(a *Article) store.Null[store.Date] { return a.Until }), store.Date.Compare),
		sortBy(f.Pinned, nullable(func(a *Article) store.Null[bool] { return a.Pinned }), compareBool),
		sortBy(f.Thumb, nullable(func(a *Article) store.Null[[]byte] { return a.Thumb }), bytes.Compare),
		sortBy(f.Body.Col, nullable(func(a *Article) store.Null[string] { return a.Body }), strings.Compare),
		sortBy(f.Slug.Col, always(func(a *Article) string { return a.Slug }), strings.Compare),
	}
}

// testPageProperty walks random sorts in pages and holds what comes against the
// whole list, sorted here.
func testPageProperty(t *testing.T, db *DB) {
	r := seed(t)
	rows := fill(t, db, r, 100)
	all := sortables()
	for range 40 {
		var order []store.Order[ArticleID]
		var by []func(a, b *Article) int
		for _, i := range r.Perm(len(all))[:1+r.IntN(4)] {
			s := all[i]
			if r.IntN(2) == 0 {
				order, by = append(order, s.asc), append(by, s.compare)
			} else {
				order, by = append(order, s.desc), append(by, func(a, b *Article) int { return s.compare(b, a) })
			}
		}
		c := randomCond(r, 1)
		want := sorted(rows, c.keep, by)
		got := walk(t, db, store.Query[ArticleID]{Where: c.cond, Sort: order, Limit: 1 + r.IntN(20)})
		if !slices.Equal(got, want) {
			t.Fatalf("filter %s, sort %v\ngot  %v\nwant %v", c.text, order, got, want)
		}
	}
}

func sorted(rows []Article, keep func(*Article) bool, by []func(a, b *Article) int) []string {
	var kept []Article
	for i := range rows {
		if keep(&rows[i]) {
			kept = append(kept, rows[i])
		}
	}
	slices.SortFunc(kept, func(a, b Article) int {
		for _, compare := range by {
			if n := compare(&a, &b); n != 0 {
				return n
			}
		}
		return cmp.Compare(a.ID, b.ID)
	})
	var slugs []string
	for _, a := range kept {
		slugs = append(slugs, a.Slug)
	}
	return slugs
}

func walk(t *testing.T, db *DB, q store.Query[ArticleID]) (slugs []string) {
	t.Helper()
	for {
		page, err := db.Article.List(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range page.Items {
			slugs = append(slugs, a.Slug)
		}
		if page.Next == "" {
			return slugs
		}
		q.After = page.Next
	}
}

func testCursors(t *testing.T, db *DB) {
	ctx := t.Context()
	r := seed(t)
	fill(t, db, r, 20)
	q := store.Query[ArticleID]{Sort: []store.Order[ArticleID]{f.Body.Desc(), f.Views.Asc()}, Limit: 5}
	page, err := db.Article.List(ctx, q)
	if err != nil || page.Next == "" {
		t.Fatal(err)
	}
	refuse := func(name string, q store.Query[ArticleID]) {
		t.Helper()
		_, err := db.Article.List(ctx, q)
		invalid, ok := errors.AsType[*store.ValidationError](err)
		if !ok || !errors.Is(err, store.ErrInvalid) || invalid.Datatype != "article" || len(invalid.Violations) != 1 || invalid.Violations[0].Field != "after" {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, limit := range []int{-1, store.MaxLimit + 1} {
		_, err := db.Article.List(ctx, store.Query[ArticleID]{Limit: limit})
		want := store.Violation{Field: "limit", Rule: "limit", Message: fmt.Sprintf("must be 1 to 1000, or 0 for 50, not %d", limit)}
		if invalid, ok := errors.AsType[*store.ValidationError](err); !ok || invalid.Datatype != "article" || !slices.Equal(invalid.Violations, []store.Violation{want}) {
			t.Errorf("limit %d: %v", limit, err)
		}
	}
	q.After = page.Next
	other := q
	other.Sort = []store.Order[ArticleID]{f.Body.Asc(), f.Views.Asc()}
	refuse("another direction", other)
	other.Sort = nil
	refuse("another sort", other)
	for _, junk := range []store.Cursor{"x", "!!!", store.Cursor(strings.Repeat("A", 1<<20)), page.Next[:len(page.Next)-2], page.Next + "AAAA"} {
		q.After = junk
		refuse("junk", q)
	}
	for range 200 {
		q.After = mutated(r, page.Next)
		if q.After != page.Next {
			refuse(fmt.Sprintf("mutated %q", q.After), q)
		}
	}
	if _, err := db.Author.List(ctx, store.Query[AuthorID]{After: page.Next}); !errors.Is(err, store.ErrInvalid) {
		t.Errorf("another datatype: %v", err)
	}
	// The rows of the first page may go: the second stays where it is.
	q.After = page.Next
	before := walk(t, db, q)
	for _, a := range page.Items {
		if err := db.Article.Delete(ctx, a.ID); err != nil {
			t.Fatal(err)
		}
	}
	if after := walk(t, db, q); !slices.Equal(before, after) {
		t.Errorf("after deletion %v, before %v", after, before)
	}
}

// testNewerOptions reads the rows of a newer program, whose select has more options, in pages
// that end at such rows: a cursor is a place in the list, and stands for no row.
func testNewerOptions(t *testing.T, db *DB) {
	ctx := t.Context()
	older := changedArticles(db, func(s *core.Spec) { s.Columns[4].Rules.Options = []string{"draft"} })
	for _, slug := range []string{"a", "b", "c", "d"} {
		n := full(slug)
		if slug > "b" {
			n.Status = store.Set(ArticleStatusDraft)
		}
		mustCreate(t, db, n)
	}
	_, err := older.Count(ctx, f.Status.Eq(ArticleStatusPublished), 0)
	wantErr(t, err, store.ErrInvalid)
	var slugs []string
	q := store.Query[ArticleID]{Sort: []store.Order[ArticleID]{f.Status.Desc(), f.Slug.Asc()}, Limit: 1}
	for q.After != "" || len(slugs) == 0 {
		page, err := older.List(ctx, q)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range page.Items {
			slugs = append(slugs, a.Slug)
		}
		q.After = page.Next
	}
	if !slices.Equal(slugs, []string{"a", "b", "c", "d"}) {
		t.Errorf("read %q", slugs)
	}
}

func mutated(r *rand.Rand, c store.Cursor) store.Cursor {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	b := []byte(c)
	b[r.IntN(len(b)-1)] = letters[r.IntN(len(letters))] // the last letter may hold unused bits
	return store.Cursor(b)
}

func testAll(t *testing.T, db *DB) {
	ctx := t.Context()
	var ns []ArticleNew
	for i := range 450 {
		ns = append(ns, ArticleNew{Slug: fmt.Sprintf("s%04d", i), Title: "Title", Views: store.Int(int64(i % 7))})
	}
	if _, err := db.Article.CreateMany(ctx, ns); err != nil {
		t.Fatal(err)
	}
	count := func(q store.Query[ArticleID]) (n int) {
		t.Helper()
		last := ""
		for a, err := range db.Article.All(ctx, q) {
			if err != nil {
				t.Fatal(err)
			}
			if a.Slug <= last {
				t.Fatalf("%s after %s", a.Slug, last)
			}
			last = a.Slug
			n++
		}
		return n
	}
	for limit, want := range map[int]int{0: 450, 1: 1, 200: 200, 201: 201, 450: 450, 9999: 450} {
		if n := count(store.Query[ArticleID]{Limit: limit, Sort: []store.Order[ArticleID]{f.Slug.Asc()}}); n != want {
			t.Errorf("limit %d: %d rows", limit, n)
		}
	}
	seen := 0
	for a, err := range db.Article.All(ctx, store.Query[ArticleID]{}) { // the body may write: no connection is held
		if err != nil {
			t.Fatal(err)
		}
		if seen++; seen == 250 {
			break
		}
		if seen%50 == 0 {
			if _, err := db.Article.Update(ctx, a.ID, ArticlePatch{Views: store.Int(100)}); err != nil {
				t.Fatal(err)
			}
		}
	}
	var kept []*Article // over three pages
	for a, err := range db.Article.All(ctx, store.Query[ArticleID]{Sort: []store.Order[ArticleID]{f.Slug.Asc()}}) {
		if err != nil {
			t.Fatal(err)
		}
		kept = append(kept, a)
	}
	for i, a := range kept {
		if want := fmt.Sprintf("s%04d", i); a.Slug != want {
			t.Fatalf("row %d that the loop kept is %s now, and was %s", i, a.Slug, want)
		}
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	for _, err := range db.Article.All(cancelled, store.Query[ArticleID]{}) {
		wantErr(t, err, context.Canceled)
	}
}

func testCounts(t *testing.T, db *DB) {
	ctx := t.Context()
	fill(t, db, seed(t), 30)
	for limit, want := range map[int]int{0: 30, 1: 1, 29: 29, 30: 30, 31: 30} {
		if n, err := db.Article.Count(ctx, store.Cond[ArticleID]{}, limit); err != nil || n != want {
			t.Errorf("count to %d: %d, %v", limit, n, err)
		}
	}
	if ok, err := db.Article.Exists(ctx, f.Slug.Eq("s0003")); err != nil || !ok {
		t.Errorf("exists: %v, %v", ok, err)
	}
	if ok, err := db.Article.Exists(ctx, f.Slug.Eq("none")); err != nil || ok {
		t.Errorf("exists: %v, %v", ok, err)
	}
}

// testLongSort walks rows whose sort values are alike for long.
func testLongSort(t *testing.T, db *DB) {
	for _, length := range []int{1100, 40_000} {
		var ns []ArticleNew
		var want []string
		for i := range 250 {
			n := ArticleNew{Slug: fmt.Sprintf("%d-%03d", length, i), Title: "Title"}
			n.Body = store.Set(strings.Repeat("é", length/2) + fmt.Sprintf("%03d", i*7%250))
			ns = append(ns, n)
			want = append(want, fmt.Sprintf("%03d", i))
		}
		if _, err := db.Article.CreateMany(t.Context(), ns); err != nil {
			t.Fatal(err)
		}
		var got []string
		q := store.Query[ArticleID]{Where: f.Slug.Prefix(fmt.Sprint(length)), Sort: []store.Order[ArticleID]{f.Body.Asc()}}
		for a, err := range db.Article.All(t.Context(), q) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, a.Body.V[len(a.Body.V)-3:])
		}
		if !slices.Equal(got, want) {
			t.Errorf("%d bytes: %d rows of %d, or out of order: %v", length, len(got), len(want), got)
		}
	}
}
