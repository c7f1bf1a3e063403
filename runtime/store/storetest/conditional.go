package storetest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// testUpdateIf changes rows that meet a condition, and leaves others alone.
func testUpdateIf(t *testing.T, db *DB) {
	ctx, f := t.Context(), ArticleFields
	a := mustCreate(t, db, full("a"))
	other := mustCreate(t, db, full("other"))
	now := *a
	for _, step := range []struct {
		what  string
		where store.Cond[ArticleID]
		met   bool
	}{
		{"a value", f.Slug.Eq("a"), true},
		{"another value", f.Slug.Eq("other"), false},
		{"one of several", f.Status.In(ArticleStatusDraft, ArticleStatusPublished), true},
		{"one of none", f.Status.In(), false},
		{"not one of none", store.Not(f.Status.In()), true},
		{"either", store.Or(f.Slug.Eq("b"), f.Views.Gte(now.Views)), true},
		{"both", store.And(f.Slug.Eq("a"), f.Views.Lt(0)), false},
		{"neither", store.Not(store.Or(f.Slug.Eq("a"), f.Slug.Eq("b"))), false},
		{"no null", f.Body.IsNull(), false},
		{"a null", store.Not(f.Body.IsNull()), true},
		{"nothing", store.Cond[ArticleID]{}, true},
		{"another id", f.ID.Eq(other.ID), false},
	} {
		title := "for " + step.what
		got, err := db.Article.UpdateIf(ctx, a.ID, step.where, ArticlePatch{Title: store.Set(title)})
		if !step.met {
			wantErr(t, err, store.ErrStale)
		} else if now.Title = title; err != nil {
			t.Errorf("%s: %v", step.what, err)
		} else {
			wantSame(t, &now, got)
		}
		read, err := db.Article.Get(ctx, a.ID)
		if err != nil {
			t.Fatal(err)
		}
		wantSame(t, &now, read)
		if _, err = db.Article.UpdateIf(ctx, a.ID, step.where, ArticlePatch{}); (err == nil) != step.met || err != nil && !errors.Is(err, store.ErrStale) {
			t.Errorf("%s, with an empty patch: %v", step.what, err)
		}
	}
	untouched, err := db.Article.Get(ctx, other.ID)
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, other, untouched)
	title := ArticlePatch{Title: store.Set("new")}
	_, err = db.Article.UpdateIf(ctx, 999, f.Slug.Eq("a"), title)
	wantErr(t, err, store.ErrNotFound)
	_, err = db.Article.UpdateIf(ctx, a.ID, f.Slug.Eq("a"), ArticlePatch{Slug: store.Set("other")})
	wantErr(t, err, store.ErrConflict)
	_, err = db.Article.UpdateIf(ctx, a.ID, f.Slug.Eq("a"), ArticlePatch{Title: store.SetNull[string]()})
	wantErr(t, err, store.ErrInvalid)
	_, err = db.Article.UpdateIf(ctx, a.ID, f.Slug.Eq("a"), ArticlePatch{Author: store.Set(AuthorID(core.NewULID()))})
	wantErr(t, err, store.ErrReference)
	_, err = db.Author.UpdateIf(ctx, "no id", store.Cond[AuthorID]{}, AuthorPatch{})
	wantErr(t, err, store.ErrNotFound)
	// A condition that is not met does not end a transaction.
	err = db.Tx(ctx, func(c *core.Conn) error {
		tx := In(c)
		if _, err := tx.Article.UpdateIf(ctx, a.ID, f.Slug.Eq("b"), title); !errors.Is(err, store.ErrStale) {
			return fmt.Errorf("in a transaction: %w", err)
		}
		_, err := tx.Article.UpdateIf(ctx, a.ID, f.Slug.Eq("a"), title)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// testUpdateIfAtOnce counts with several at once, each of whom takes a number that no one
// else has taken.
func testUpdateIfAtOnce(t *testing.T, db *DB) {
	ctx, views := t.Context(), ArticleFields.Views
	a := mustCreate(t, db, full("a"))
	if _, err := db.Article.Update(ctx, a.ID, ArticlePatch{Views: store.Int(0)}); err != nil {
		t.Fatal(err)
	}
	const counters, each = 4, 15
	var wg sync.WaitGroup
	for range counters {
		wg.Go(func() {
			for done := 0; done < each; {
				now, err := db.Article.Get(ctx, a.ID)
				if err == nil {
					_, err = db.Article.UpdateIf(ctx, a.ID, views.Eq(now.Views), ArticlePatch{Views: store.Int(now.Views + 1)})
				}
				switch {
				case err == nil:
					done++
				case !errors.Is(err, store.ErrStale):
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

// testUpdateSome changes a bounded number of rows, with the effects of each.
func testUpdateSome(t *testing.T, dsn string) {
	ctx, g := t.Context(), plant(t, dsn, true)
	weight := core.FieldOf[nodeID, int64](2)
	for _, name := range []string{"a", "b", "c", "d"} {
		g.add(t, nodeNew{Name: name})
	}
	g.take()
	five := nodePatch{Weight: store.Set(int64(5))}
	for _, want := range [][]string{
		{"node 1 updated a=0 -> a=5", "node 2 updated b=0 -> b=5", "node 3 updated c=0 -> c=5"},
		{"node 4 updated d=0 -> d=5"},
		nil,
	} {
		n, err := g.node.UpdateSome(ctx, weight.Eq(0), five, 3)
		if err != nil || int(n) != len(want) {
			t.Errorf("%d changed, %v", n, err)
		}
		g.want(t, "UpdateSome", want...)
	}
	if n, err := g.node.UpdateSome(ctx, weight.Eq(5), nodePatch{}, 3); n != 0 || err != nil {
		t.Errorf("an empty patch: %d changed, %v", n, err)
	}
	g.fail = errors.New("no")
	if n, err := g.node.UpdateSome(ctx, weight.Eq(5), nodePatch{Weight: store.Set(int64(6))}, 3); n != 0 || !errors.Is(err, g.fail) {
		t.Errorf("an effect fails: %d changed, %v", n, err)
	}
	g.fail = nil
	g.take()
	if _, err := g.node.UpdateIf(ctx, 1, weight.Eq(5), nodePatch{Weight: store.Set(int64(7))}); err != nil {
		t.Error(err)
	}
	g.want(t, "UpdateIf", "node 1 updated a=5 -> a=7")
	_, err := g.node.UpdateIf(ctx, 1, weight.Eq(5), nodePatch{Weight: store.Set(int64(8))})
	wantErr(t, err, store.ErrStale)
	g.want(t, "a condition that is not met")
}

// testUpdateSomeAtOnce has several take rows, each of which one of them gets.
func testUpdateSomeAtOnce(t *testing.T, dsn string) {
	ctx, g := t.Context(), plant(t, dsn, true)
	weight := core.FieldOf[nodeID, int64](2)
	nodes := make([]nodeNew, 60)
	for i := range nodes {
		nodes[i].Name = fmt.Sprint(i)
	}
	if _, err := g.node.CreateMany(ctx, nodes); err != nil {
		t.Fatal(err)
	}
	var total atomic.Int64
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for {
				n, err := g.node.UpdateSome(ctx, weight.Eq(0), nodePatch{Weight: store.Set(int64(i + 1))}, 7)
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
	left, err := g.node.Count(ctx, weight.Eq(0), 0)
	if err != nil || left != 0 {
		t.Errorf("%d are left, %v", left, err)
	}
	if total.Load() != 60 {
		t.Errorf("%d changed, want 60", total.Load())
	}
}
