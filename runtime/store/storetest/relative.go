package storetest

import (
	"errors"
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// testAdd changes numbers in the statement, up to the ends of what their columns and rules hold.
func testAdd(t *testing.T, db *DB) {
	ctx := t.Context()
	given := full("a")
	given.Views, given.Rank, given.Discount = store.Int(42), store.SetNull[int64](), store.SetNull[store.Decimal]()
	a := mustCreate(t, db, given)
	now := *a
	for _, step := range []struct {
		what  string
		patch ArticlePatch
		then  func()
		wrong string // what the error says
	}{
		{"more", ArticlePatch{Views: store.Add(1)}, func() { now.Views = 43 }, ""},
		{"less", ArticlePatch{Views: store.Add(-43)}, func() { now.Views = 0 }, ""},
		{"below the least", ArticlePatch{Views: store.Add(-1)}, nil, "views must be at least 0, not -1"},
		{"the largest", ArticlePatch{Views: store.Add(math.MaxInt64)}, func() { now.Views = math.MaxInt64 }, ""},
		{"above the largest", ArticlePatch{Views: store.Add(1)}, nil, "views must be a number of 64 bits, not 9223372036854775808"},
		{"times above it", ArticlePatch{Views: store.Mul(2)}, nil, "views must be a number of 64 bits"},
		{"times zero", ArticlePatch{Views: store.Mul(0)}, func() { now.Views = 0 }, ""},
		{"a value with it", ArticlePatch{Views: store.Add(7), Title: store.Set("with a value")}, func() { now.Views, now.Title = 7, "with a value" }, ""},
		{"a wrong value with it", ArticlePatch{Views: store.Add(7), Title: store.Set("x")}, nil, "title must be at least 2 characters"},
		{"times a negative", ArticlePatch{Views: store.Mul(-1)}, nil, "views must be at least 0, not -7"},
		{"to null", ArticlePatch{Rank: store.Add(5)}, func() { now.Rank = store.Null[int64]{V: 5, Valid: true} }, ""},
		{"times", ArticlePatch{Rank: store.Mul(-3)}, func() { now.Rank.V = -15 }, ""},
		{"far below", ArticlePatch{Rank: store.Add(math.MinInt64)}, nil, "rank must be a number of 64 bits"},
		{"two columns", ArticlePatch{Rank: store.Add(1), Views: store.Mul(3)}, func() { now.Rank.V, now.Views = -14, 21 }, ""},
		{"one of two is wrong", ArticlePatch{Rank: store.Add(1), Views: store.Add(-22)}, nil, "views must be at least 0, not -1"},
		{"money", ArticlePatch{Price: store.AddDecimal(dec("-20.05"))}, func() { now.Price = dec("-0.15") }, ""},
		{"money to null", ArticlePatch{Discount: store.AddDecimal(dec("0.0001"))}, func() { now.Discount = store.Null[store.Decimal]{V: dec("0.0001"), Valid: true} }, ""},
		{"too many digits", ArticlePatch{Price: store.AddDecimal(dec("0.001"))}, nil, "price is changed by an amount that has more than 18 digits, or more than 2 behind the point"},
		{"the most money", ArticlePatch{Price: store.AddDecimal(dec("9999999999999999.99"))}, func() { now.Price = dec("9999999999999999.84") }, ""},
		{"above the most money", ArticlePatch{Price: store.AddDecimal(dec("0.16"))}, nil, "price must have at most 16 digits before the point"},
	} {
		got, err := db.Article.Update(ctx, a.ID, step.patch)
		switch {
		case step.wrong != "":
			wantViolation(t, step.what, err, step.wrong)
		case err != nil:
			t.Errorf("%s: %v", step.what, err)
		default:
			step.then()
			wantSame(t, &now, got)
		}
		read, err := db.Article.Get(ctx, a.ID)
		if err != nil {
			t.Fatal(err)
		}
		wantSame(t, &now, read)
	}
	_, err := db.Article.Update(ctx, 999, ArticlePatch{Views: store.Add(1)})
	wantErr(t, err, store.ErrNotFound)
	_, err = db.Article.UpdateIf(ctx, a.ID, ArticleFields.Slug.Eq("b"), ArticlePatch{Views: store.Add(-100)})
	wantErr(t, err, store.ErrStale)
	_, err = db.Article.UpdateIf(ctx, a.ID, ArticleFields.Slug.Eq("a"), ArticlePatch{Views: store.Add(-100)})
	wantViolation(t, "with a condition", err, "views must be at least 0, not -79")
	another := full("new")
	another.Views = store.Add(1)
	_, err = db.Article.Create(ctx, another)
	wantViolation(t, "of a new row", err, "views has no value yet")
}

func wantViolation(t *testing.T, what string, err error, says string) {
	t.Helper()
	if _, ok := errors.AsType[*store.ValidationError](err); !ok || !strings.Contains(err.Error(), says) {
		t.Errorf("%s: %v, want a ValidationError with %q", what, err, says)
	}
}

// testAddAtOnce counts with several at once, of which no one reads.
func testAddAtOnce(t *testing.T, db *DB) {
	ctx := t.Context()
	given := full("a")
	given.Views = store.Int(0)
	a := mustCreate(t, db, given)
	const counters, each = 5, 10
	var wg sync.WaitGroup
	for range counters {
		wg.Go(func() {
			for range each {
				if _, err := db.Article.Update(ctx, a.ID, ArticlePatch{Views: store.Add(1)}); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	now, err := db.Article.Get(ctx, a.ID)
	if err != nil || now.Views != counters*each {
		t.Errorf("%v, %d counted; want %d", err, now.Views, counters*each)
	}
}

// testAppend puts text behind a text, in characters up to its max.
func testAppend(t *testing.T, db *DB) {
	ctx := t.Context()
	given := full("a")
	given.Title, given.Body = "世界", store.SetNull[string]()
	a := mustCreate(t, db, given)
	title := func(s string) error {
		_, err := db.Article.Update(ctx, a.ID, ArticlePatch{Title: store.Append(s)})
		return err
	}
	if err := title(strings.Repeat("é", 98)); err != nil {
		t.Error(err)
	}
	wantViolation(t, "a longer text", title("x"), "title must be at most 100 characters, not 101")
	wantViolation(t, "a text that is too long by itself", title(strings.Repeat("x", 101)), "title must be at most 100 characters, and 101 are appended")
	wantViolation(t, "a byte that no text has", title("\x00"), "title cannot hold what is appended")
	_, err := db.Article.Update(ctx, a.ID, ArticlePatch{Token: store.Append("hidden, and too long by far")})
	wantViolation(t, "a secret", err, "token must be at most 20 characters")
	if strings.Contains(err.Error(), "hidden") || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("the error has the secret: %v", err)
	}
	for _, s := range []string{"", "one' || \\ ", "%_ two"} {
		if _, err := db.Article.Update(ctx, a.ID, ArticlePatch{Body: store.Append(s)}); err != nil {
			t.Errorf("%q: %v", s, err)
		}
	}
	now, err := db.Article.Get(ctx, a.ID)
	if err != nil {
		t.Fatal(err)
	}
	if want := "世界" + strings.Repeat("é", 98); now.Title != want || now.Body.V != "one' || \\ %_ two" {
		t.Errorf("the title is %q, the body %q", now.Title, now.Body.V)
	}
}

// testUpdateWhere changes many rows, all or none.
func testUpdateWhere(t *testing.T, db *DB) {
	ctx, f := t.Context(), ArticleFields
	const rows = 1_201 // more than are locked at a time
	news := make([]ArticleNew, rows)
	for i := range news {
		news[i] = full("s" + strings.Repeat("i", i%90) + string(rune('a'+i/90)))
		news[i].Views, news[i].Rank = store.Int(int64(i%2)), store.Int(int64(i))
	}
	if _, err := db.Article.CreateMany(ctx, news); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		what   string
		where  store.Cond[ArticleID]
		patch  ArticlePatch
		n      int64
		wrong  error
		expect store.Cond[ArticleID] // of n rows then
	}{
		{"a value", f.Views.Eq(1), ArticlePatch{Title: store.Set("odd")}, 600, nil, f.Title.Eq("odd")},
		{"the condition's own column", f.Views.Eq(0), ArticlePatch{Views: store.Int(5)}, 601, nil, f.Views.Eq(5)},
		{"an empty patch", f.Views.Eq(5), ArticlePatch{}, 0, nil, f.Views.Eq(6)},
		{"no row", f.Views.Eq(99), ArticlePatch{Title: store.Set("none")}, 0, nil, f.Title.Eq("none")},
		{"a sum", f.Rank.Lt(700), ArticlePatch{Rank: store.Add(-1000)}, 700, nil, f.Rank.Lt(0)},
		{"the moved rows again", f.Rank.Lt(0), ArticlePatch{Rank: store.Add(-1)}, 700, nil, f.Rank.Lt(-300)},
		{"a sum that one row cannot hold", f.Views.Gte(0), ArticlePatch{Views: store.Add(-2)}, 0, store.ErrInvalid, f.Views.Eq(3)},
		{"a key that is taken", f.Views.Eq(1), ArticlePatch{Slug: store.Set("one")}, 0, store.ErrConflict, f.Slug.Eq("one")},
		{"every row", store.Everything[ArticleID](), ArticlePatch{Order: store.Add(2)}, rows, nil, f.Order.NotNull()},
		{"every row, unsaid", store.And[ArticleID](), ArticlePatch{Order: store.Add(2)}, 0, store.ErrInvalid, f.Views.Eq(99)},
	} {
		n, err := db.Article.UpdateWhere(ctx, step.where, step.patch)
		if n != step.n || !errors.Is(err, step.wrong) {
			t.Errorf("%s: %d rows, %v; want %d, %v", step.what, n, err, step.n, step.wrong)
		}
		if got, err := db.Article.Count(ctx, step.expect, 0); err != nil || int64(got) != step.n {
			t.Errorf("%s: %d rows are as expected, %v; want %d", step.what, got, err, step.n)
		}
	}
}

// testUpdateWhereEffects has each row that is changed followed by its effects, whose errors undo the write.
func testUpdateWhereEffects(t *testing.T, dsn string) {
	ctx, g := t.Context(), plant(t, dsn, true)
	weight := core.FieldOf[nodeID, int64](2)
	for _, name := range []string{"a", "b", "c"} {
		g.add(t, nodeNew{Name: name})
	}
	g.take()
	for _, step := range []struct {
		patch nodePatch
		want  []string
	}{
		{nodePatch{Weight: store.Set(int64(5))}, []string{"node 1 updated a=0 -> a=5", "node 2 updated b=0 -> b=5", "node 3 updated c=0 -> c=5"}},
		{nodePatch{Weight: store.Add(2)}, []string{"node 1 updated a=5 -> a=7", "node 2 updated b=5 -> b=7", "node 3 updated c=5 -> c=7"}},
	} {
		if n, err := g.node.UpdateWhere(ctx, weight.Lt(7), step.patch); n != 3 || err != nil {
			t.Errorf("%d changed, %v", n, err)
		}
		g.want(t, "UpdateWhere", step.want...)
	}
	if _, err := g.node.Update(ctx, 1, nodePatch{Weight: store.Mul(3)}); err != nil {
		t.Error(err)
	}
	g.want(t, "Update", "node 1 updated a=7 -> a=21")
	g.fail = errors.New("no")
	if n, err := g.node.UpdateWhere(ctx, weight.Eq(7), nodePatch{Weight: store.Add(1)}); n != 0 || !errors.Is(err, g.fail) {
		t.Errorf("an effect fails: %d changed, %v", n, err)
	}
	g.fail = nil
	if n, err := g.node.UpdateWhere(ctx, weight.Eq(7), nodePatch{}); n != 0 || err != nil {
		t.Errorf("an empty patch: %d changed, %v", n, err)
	}
	if n, err := g.node.UpdateWhere(ctx, weight.Eq(7), nodePatch{Weight: store.Set(int64(8))}); n != 2 || err != nil {
		t.Errorf("after an effect failed: %d changed, %v; want 2", n, err)
	}
}

// testGetForUpdate counts with several at once, each of whom reads the row that it then changes.
func testGetForUpdate(t *testing.T, db *DB) {
	ctx := t.Context()
	given := full("a")
	given.Views = store.Int(0)
	a := mustCreate(t, db, given)
	_, err := db.Article.GetForUpdate(ctx, a.ID)
	wantErr(t, err, store.ErrInvalid)
	const counters, each = 5, 6
	var wg sync.WaitGroup
	for range counters {
		wg.Go(func() {
			for range each {
				err := db.Tx(ctx, func(c *core.Conn) error {
					tx := In(c)
					now, err := tx.Article.GetForUpdate(ctx, a.ID)
					if err != nil {
						return err
					}
					_, err = tx.Article.Update(ctx, a.ID, ArticlePatch{Views: store.Int(now.Views + 1)})
					return err
				})
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	now, err := db.Article.Get(ctx, a.ID)
	if err != nil || now.Views != counters*each {
		t.Errorf("%v, %d counted; want %d", err, now.Views, counters*each)
	}
	err = db.Tx(ctx, func(c *core.Conn) error {
		tx := In(c)
		_, err := tx.Article.GetForUpdate(ctx, 999)
		return err
	})
	wantErr(t, err, store.ErrNotFound)
}

// testListForUpdate has two transactions take rows, the second of which leaves out what the first has.
func testListForUpdate(t *testing.T, db *DB) {
	ctx, f := t.Context(), ArticleFields
	for _, slug := range []string{"a", "b", "c", "d"} {
		mustCreate(t, db, full(slug))
	}
	q := store.Query[ArticleID]{Where: f.Slug.Ne("c"), Sort: []store.Order[ArticleID]{f.ID.Desc()}, Limit: 1}
	_, err := db.Article.ListForUpdate(ctx, q, store.WaitForLocked)
	wantErr(t, err, store.ErrInvalid)
	take := func(c *core.Conn) string {
		tx := In(c)
		rows, err := tx.Article.ListForUpdate(ctx, q, store.SkipLocked)
		if err != nil || len(rows) != 1 {
			t.Errorf("%d rows, %v", len(rows), err)
			return ""
		}
		return rows[0].Slug
	}
	err = db.Tx(ctx, func(c *core.Conn) error {
		if got := take(c); got != "d" {
			t.Errorf("took %q, want d", got)
		}
		if c.Dialect() == sqltext.SQLite { // no other transaction writes meanwhile
			return nil
		}
		return db.Tx(ctx, func(c *core.Conn) error {
			if got := take(c); got != "b" { // the first has locked its row and not the one behind it
				t.Errorf("took %q beside the first, want b", got)
			}
			return nil
		})
	})
	if err != nil {
		t.Error(err)
	}
	err = db.Tx(ctx, func(c *core.Conn) error {
		tx := In(c)
		q.Limit = store.MaxLimit + 1
		_, err := tx.Article.ListForUpdate(ctx, q, store.WaitForLocked)
		return err
	})
	wantErr(t, err, store.ErrInvalid)
}
