package storetest

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// listed counts articles by a list of ids and one of slugs. A question mark in
// quotes is no placeholder.
var listed = core.Statement{
	Text: [3]string{
		"SELECT count(*) FROM article WHERE title <> 'it''s \"?' AND id IN (SELECT value FROM json_each(?)) AND views >= ? AND slug IN (SELECT value FROM json_each(?))",
		"SELECT count(*) FROM article WHERE title <> 'it''s \"?' AND id = ANY($1::bigint[]) AND views >= $2 AND slug = ANY($3::text[])",
		`SELECT count(*) FROM article WHERE title <> 'it\'s "?' AND id IN (?) AND views >= ? AND slug IN (?)`,
	},
	Order:  [3][]int{{1, 0, 2}, {1, 0, 2}, {1, 0, 2}},
	Params: []string{"views", "ids", "slugs"},
}

// testLists passes several values as one argument.
func testLists(t *testing.T, db *DB) {
	var ids []int64
	slugs := []string{"a", `q"?'\`, "c"}
	for _, slug := range slugs {
		ids = append(ids, int64(mustCreate(t, db, full(slug)).ID))
	}
	count := func(n *int64) []any { return []any{n} }
	ask := func(ids, slugs core.List) (int64, error) {
		return core.One(t.Context(), db.Conn(), &listed, []any{int64(0), ids, slugs}, count)
	}
	for _, c := range []struct {
		what       string
		ids, slugs core.List
		want       int64
	}{
		{"all", core.ListOf(ids), core.ListOf(slugs), 3},
		{"some", core.ListOf(ids[:2]), core.ListOf(slugs[1:]), 1},
		{"others", core.ListOf([]int64{-1, 1 << 60}), core.ListOf([]string{"x"}), 0},
		{"ids of an unknown kind", core.IDList([]any{ids[0], ids[2]}), core.IDList([]any{"a", "c"}), 2},
		{"no ids", core.ListOf([]int64{}), core.ListOf(slugs), 0},
		{"no slugs", core.ListOf(ids), core.ListOf[string](nil), 0},
		{"nothing", core.List{}, core.IDList(nil), 0},
	} {
		if n, err := ask(c.ids, c.slugs); err != nil || n != c.want {
			t.Errorf("%s: %d, %v", c.what, n, err)
		}
	}
	byIDs, err := core.Many(t.Context(), db.Conn(), core.ColumnByIDs(&articleSpec, 1), []any{core.ListOf(ids[1:2])}, func(s *string) []any { return []any{s} })
	if err != nil || !slices.Equal(byIDs, slugs[1:2]) {
		t.Errorf("read %q, %v", byIDs, err)
	}
	_, err = ask(core.ListOf(ids), core.ListOf([]string{"a", "nul\x00"}))
	wantErr(t, err, store.ErrInvalid)
	_, err = ask(core.ListOf(make([]int64, 40_000)), core.ListOf(slugs))
	wantErr(t, err, store.ErrInvalid)
}

// unlisted counts articles that have none of the slugs.
var unlisted = core.Statement{
	Text: [3]string{
		"SELECT count(*) FROM article WHERE slug NOT IN (SELECT value FROM json_each(?))",
		"SELECT count(*) FROM article WHERE slug <> ALL (CAST($1 AS text[]))",
		"SELECT count(*) FROM article WHERE slug NOT IN (?)",
	},
	Params: []string{"slugs"},
}

// testNotInLists passes lists of any length to NOT IN: one without values keeps
// every row, on every database.
func testNotInLists(t *testing.T, db *DB) {
	for _, slug := range []string{"a", "b", "c"} {
		mustCreate(t, db, full(slug))
	}
	self := func(s *string) any { return s }
	for _, c := range []struct {
		slugs []string
		want  int64
	}{
		{nil, 3},
		{[]string{}, 3},
		{[]string{"b"}, 2},
		{[]string{"a", "b", "x"}, 1}, // four placeholders on MySQL
		{append(make([]string, 5_000), "c"), 2},
	} {
		n, err := core.One(t.Context(), db.Conn(), &unlisted, []any{core.ListAs(c.slugs, self)}, func(n *int64) []any { return []any{n} })
		if err != nil || n != c.want {
			t.Errorf("without %d slugs: %d, %v", len(c.slugs), n, err)
		}
	}
	_, err := core.Exec(t.Context(), db.Conn(), &unlisted, []any{core.ListAs(make([]string, 40_000), self)})
	wantErr(t, err, store.ErrInvalid)
}

// take deletes a bounded number of articles, which takeFound does on MySQL. An
// article is found twice where it has a rank.
var (
	take = core.Statement{
		Text: [3]string{
			"DELETE FROM article WHERE id IN (SELECT a.id FROM article AS a JOIN (SELECT 1 AS n UNION ALL SELECT 2) AS x ON x.n = 1 OR a.rank IS NOT NULL WHERE a.views >= ? ORDER BY a.id LIMIT ?) RETURNING slug, views",
			"DELETE FROM article WHERE id IN (SELECT a.id FROM article AS a JOIN (SELECT 1 AS n UNION ALL SELECT 2) AS x ON x.n = 1 OR a.rank IS NOT NULL WHERE a.views >= $1 ORDER BY a.id LIMIT $2) RETURNING slug, views",
			"SELECT a.id, a.slug, a.views FROM article AS a JOIN (SELECT 1 AS n UNION ALL SELECT 2) AS x ON x.n = 1 OR a.`rank` IS NOT NULL WHERE a.views >= ? ORDER BY a.id LIMIT ? FOR UPDATE",
		},
		Order: [3][]int{{1, 2}, {1, 2}, {1, 2}},
	}
	takeFound = core.Statement{
		Text:  [3]string{2: "DELETE FROM article WHERE id IN (?)"},
		Order: [3][]int{2: {0}},
	}
)

type taken struct {
	slug  string
	views int64
}

func (r *taken) fields() []any { return []any{&r.slug, &r.views} }

// testChangeSome deletes a few rows at a time and is told which.
func testChangeSome(t *testing.T, db *DB) {
	ctx := t.Context()
	for i, slug := range []string{"a", "b", "c", "d"} {
		n := full(slug)
		n.Views = store.Int(int64(i))
		mustCreate(t, db, n)
	}
	some := func(least, limit int64) (rows []taken) {
		t.Helper()
		err := db.Tx(ctx, func(c *core.Conn) (err error) {
			rows, err = core.ChangeSome(ctx, c, &take, &takeFound, []any{nil, least, limit}, 0, (*taken).fields)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		slices.SortFunc(rows, func(a, b taken) int { return int(a.views - b.views) })
		return rows
	}
	if got, want := some(1, 4), []taken{{"b", 1}, {"c", 2}}; !slices.Equal(got, want) { // each is found twice
		t.Errorf("changed %v, want %v", got, want)
	}
	if n, err := db.Article.Count(ctx, store.Everything[ArticleID](), 0); err != nil || n != 2 {
		t.Errorf("%d are left, %v", n, err)
	}
	if got := some(7, 4); len(got) != 0 {
		t.Errorf("changed %v, want none", got)
	}
	undone := errors.New("undone")
	wantErr(t, db.Tx(ctx, func(c *core.Conn) error {
		if _, err := core.ChangeSome(ctx, c, &take, &takeFound, []any{nil, int64(0), int64(9)}, 0, (*taken).fields); err != nil {
			return err
		}
		return undone
	}), undone)
	if n, err := db.Article.Count(ctx, store.Everything[ArticleID](), 0); err != nil || n != 2 {
		t.Errorf("after a rollback %d are left, %v", n, err)
	}
}

// testForms asks a statement what it is on this database.
func testForms(t *testing.T, db *DB) {
	c := db.Conn()
	mysql := c.Dialect().String() == "mysql"
	if !take.Has(c) || takeFound.Has(c) != mysql {
		t.Errorf("has a text: %v, %v", take.Has(c), takeFound.Has(c))
	}
	if take.Takes(c, 0) || !take.Takes(c, 2) || !takeFound.Takes(c, 0) || takeFound.Takes(c, 1) == mysql {
		t.Error("a statement takes other arguments than its order names")
	}
	if text, order := take.Form(c); text != take.Text[c.Dialect()] || !slices.Equal(order, []int{1, 2}) {
		t.Errorf("the form is %s, %v", text, order)
	}
	var got int64
	one := core.Statement{Text: [3]string{"SELECT 1", "SELECT 1", "SELECT 1"}}
	if err := core.Row(t.Context(), c, &one, nil, []any{&got}); err != nil || got != 1 {
		t.Errorf("one is %d, %v", got, err)
	}
	wantErr(t, core.Row(t.Context(), c, &busiest, []any{int64(9), ArticleStatusPublished}, (&busiestRow{}).fields()), store.ErrNotFound)
}

// locked reads and locks articles, where rows can be locked.
var locked = core.Statement{Text: [3]string{
	"", "SELECT slug FROM article ORDER BY id FOR UPDATE", "SELECT slug FROM article ORDER BY id FOR UPDATE",
}}

// testSkipLocked leaves out what another transaction has locked.
func testSkipLocked(t *testing.T, db *DB) {
	ctx := t.Context()
	skipping := locked.SkipLocked()
	if !locked.Has(db.Conn()) {
		if skipping.Has(db.Conn()) {
			t.Error("a statement without a text has one")
		}
		return
	}
	mustCreate(t, db, full("a"))
	mustCreate(t, db, full("b"))
	slug := func(s *string) []any { return []any{s} }
	err := db.Tx(ctx, func(c *core.Conn) error {
		if _, err := c.Exec(ctx, "UPDATE article SET title = 'held' WHERE slug = 'a'", nil); err != nil {
			return err
		}
		return db.Tx(ctx, func(other *core.Conn) error {
			if got, err := core.Many(ctx, other, skipping, nil, slug); err != nil || !slices.Equal(got, []string{"b"}) {
				t.Errorf("read %q, %v", got, err)
			}
			return nil
		})
	})
	if err != nil {
		t.Error(err)
	}
	if got, err := core.Many(ctx, db.Conn(), skipping, nil, slug); err != nil || len(got) != 2 {
		t.Errorf("read %q, %v", got, err)
	}
}

// testEach reads rows one by one.
func testEach(t *testing.T, db *DB) {
	ctx := t.Context()
	for i, slug := range []string{"a", "b", "c"} {
		n := full(slug)
		n.Views = store.Int(int64(i))
		mustCreate(t, db, n)
	}
	var row busiestRow
	var got []int64
	enough := errors.New("enough")
	args := []any{int64(0), ArticleStatusPublished}
	err := core.Each(ctx, db.Conn(), &busiest, args, row.fields(), func() error {
		if got = append(got, row.Views); len(got) == 2 {
			return enough
		}
		return nil
	})
	wantErr(t, err, enough)
	if !slices.Equal(got, []int64{2, 1}) {
		t.Errorf("read %v", got)
	}
	wantErr(t, core.Each(ctx, db.Conn(), &busiest, []any{int64(0), "nul\x00"}, row.fields(), nil), store.ErrInvalid)
}

// testClocks compares the clocks of connections.
func testClocks(t *testing.T, db *DB) {
	ctx := t.Context()
	err := db.Tx(ctx, func(c *core.Conn) error {
		first, err := c.Now(ctx)
		if err != nil {
			return err
		}
		for {
			now, err := c.Now(ctx)
			if err != nil || now.After(first) { // the transaction's start would stay
				return err
			}
		}
	})
	if err != nil {
		t.Error(err)
	}
	if local := db.Conn().Dialect().String() == "sqlite"; db.LocalClock() != local {
		t.Errorf("the clock is this process's: %v", db.LocalClock())
	}
}

// testYield gives way to others.
func testYield(t *testing.T, db *DB) {
	ctx, cancel := context.WithCancelCause(t.Context())
	if err := db.Conn().Yield(ctx); err != nil {
		t.Error(err)
	}
	if err := db.Tx(ctx, func(c *core.Conn) error { return c.Yield(ctx) }); err != nil {
		t.Error(err)
	}
	enough := errors.New("enough")
	cancel(enough)
	wantErr(t, db.Conn().Yield(ctx), enough)
}

// testLocalClock has a test's clock decide on every database.
func testLocalClock(t *testing.T, dsn string) {
	db := Open(t, dsn, store.Options{Now: func() time.Time { return noon }})
	if !db.LocalClock() {
		t.Error("a test's clock does not decide")
	}
	if now, err := db.Now(t.Context()); err != nil || !now.Equal(noon) {
		t.Errorf("now is %s, %v", now, err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := db.Now(t.Context())
	wantErr(t, err, store.ErrClosed)
}
