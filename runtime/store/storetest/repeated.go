package storetest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// retitle changes the title of articles by slug.
var retitle = core.Statement{Text: [3]string{
	"UPDATE article SET title = ? WHERE slug LIKE ?",
	"UPDATE article SET title = $1 WHERE slug LIKE $2",
	"UPDATE article SET title = ? WHERE slug LIKE ?",
}, Params: []string{"title", "slug"}}

// testExecEach runs a statement many times.
func testExecEach(t *testing.T, db *DB) {
	ctx := t.Context()
	for _, slug := range []string{"a1", "a2", "b1"} {
		mustCreate(t, db, full(slug))
	}
	slugs := []string{"a%", "b%", "c%", "a%"}
	args := make([]any, 2)
	each := func(i int) []any { // the slice is used again
		args[0], args[1] = fmt.Sprint("title ", i), slugs[i]
		return args
	}
	want := []int64{2, 1, 0, 2}
	touched, err := core.ExecEach(ctx, db.Conn(), &retitle, len(slugs), each)
	if err != nil || !slices.Equal(touched, want) {
		t.Errorf("touched %v, %v", touched, err)
	}
	a, err := db.Article.GetUnique(ctx, 0, "a1")
	if err != nil || a.Title != "title 3" {
		t.Errorf("title is %q, %v", a.Title, err)
	}
	err = db.Tx(ctx, func(c *core.Conn) error {
		if touched, err = core.ExecEach(ctx, c, &retitle, len(slugs), each); err != nil || !slices.Equal(touched, want) {
			t.Errorf("inside: touched %v, %v", touched, err)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	if touched, err = core.ExecEach(ctx, db.Conn(), &retitle, 0, nil); err != nil || len(touched) != 0 {
		t.Errorf("no times: %v, %v", touched, err)
	}
	const many = 2500
	touched, err = core.ExecEach(ctx, db.Conn(), &retitle, many, func(i int) []any { return []any{fmt.Sprint("many ", i), "a1"} })
	if err != nil || len(touched) != many || slices.ContainsFunc(touched, func(n int64) bool { return n != 1 }) {
		t.Errorf("%d times touched %d, %v", many, len(touched), err)
	}
	if a, err = db.Article.Get(ctx, a.ID); err != nil || a.Title != fmt.Sprint("many ", many-1) {
		t.Errorf("title is %q, %v", a.Title, err)
	}
	testExecEachFails(t, db)
}

// testExecEachFails has one of the times fail.
func testExecEachFails(t *testing.T, db *DB) {
	t.Helper()
	ctx := t.Context()
	nth := func(n int, bad any) func(i int) []any {
		return func(i int) []any {
			if i == n {
				return []any{bad, "a1"}
			}
			return []any{"gone", "b1"}
		}
	}
	unchanged := func(what string) {
		t.Helper()
		if n, err := db.Article.Count(ctx, f.Title.Eq("gone"), 0); err != nil || n != 0 {
			t.Errorf("%s: %d rows, %v", what, n, err)
		}
	}
	_, err := core.ExecEach(ctx, db.Conn(), &retitle, 5, nth(3, "nul\x00"))
	wantErr(t, err, store.ErrInvalid)
	if err != nil && !strings.Contains(err.Error(), "parameter title") {
		t.Error(err)
	}
	unchanged("a value that is not sent")
	_, err = core.ExecEach(ctx, db.Conn(), &retitle, 5, nth(3, nil)) // a title cannot be NULL
	wantErr(t, err, store.ErrInvalid)
	unchanged("a value that is refused")
	wantErr(t, db.Tx(ctx, func(c *core.Conn) error {
		_, err := core.ExecEach(ctx, c, &retitle, 5, nth(3, "nul\x00"))
		wantErr(t, err, store.ErrInvalid) // which does not end the transaction
		if _, err = core.ExecEach(ctx, c, &retitle, 5, nth(9, "")); err != nil {
			return err
		}
		_, err = core.ExecEach(ctx, c, &retitle, 5, nth(1, nil))
		wantErr(t, err, store.ErrInvalid)
		return nil
	}), store.ErrInvalid)
	unchanged("a transaction that fails")
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	_, err = core.ExecEach(cancelled, db.Conn(), &retitle, 5, nth(9, ""))
	wantErr(t, err, context.Canceled)
	unchanged("a cancelled call")
}

// testArrays passes arrays as arguments, which PostgreSQL takes.
func testArrays(t *testing.T, db *DB) {
	ctx := t.Context()
	for _, slug := range []string{"a", "b", "c"} {
		mustCreate(t, db, full(slug))
	}
	var n int64
	count := func(n *int64) []any { return []any{n} }
	ask := func(where string, arg any) error {
		text := "SELECT count(*) FROM article WHERE " + where
		got, err := core.One(ctx, db.Conn(), &core.Statement{Text: [3]string{text, text, text}}, []any{arg}, count)
		n = got
		return err
	}
	if db.Conn().Dialect().String() != "postgres" {
		for _, arg := range []any{[]int64{1}, []string{"a"}, []time.Time{noon}} {
			wantErr(t, ask("id = ?", arg), store.ErrInvalid)
		}
		return
	}
	for _, c := range []struct {
		where string
		arg   any
		want  int64
	}{
		{"id = ANY($1)", []int64{1, 3, 99}, 2},
		{"slug = ANY($1)", []string{"a", "b", "x"}, 2},
		{"created_at = ANY($1)", []time.Time{noon, noon.Add(time.Hour)}, 3},
		{"id = ANY($1)", []int64{}, 0},
		{"id = ANY($1)", []int64(nil), 0},
		{"slug <> ALL($1)", []string(nil), 3},
		{"created_at <> ALL($1)", []time.Time(nil), 3},
		{"slug IN (SELECT unnest($1::text[]))", []string{"c"}, 1},
	} {
		if err := ask(c.where, c.arg); err != nil || n != c.want {
			t.Errorf("%s of %v: %d, %v", c.where, c.arg, n, err)
		}
	}
	wantErr(t, ask("slug = ANY($1)", []string{"a", "nul\x00"}), store.ErrInvalid)
	wantErr(t, ask("created_at = ANY($1)", []time.Time{noon, noon.AddDate(9000, 0, 0)}), store.ErrInvalid)
}
