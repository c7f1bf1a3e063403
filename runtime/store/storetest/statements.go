package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
)

// busiest stands for a user's own query, with an argument that is used twice.
var busiest = store.Statement{
	Text: [3]string{
		"SELECT title, views, created_at, body FROM article WHERE views >= ? AND views < ? + 100 AND status = ? ORDER BY views DESC LIMIT 10",
		"SELECT title, views, created_at, body FROM article WHERE views >= $1 AND views < $1 + 100 AND status = $2 ORDER BY views DESC LIMIT 10",
		"SELECT title, views, created_at, body FROM article WHERE views >= ? AND views < ? + 100 AND status = ? ORDER BY views DESC LIMIT 10",
	},
	Order: [3][]int{{0, 0, 1}, nil, {0, 0, 1}},
}

type busiestRow struct {
	Title     string
	Views     int64
	CreatedAt time.Time
	Body      store.Null[string]
}

func (r *busiestRow) fields() []any { return []any{&r.Title, &r.Views, &r.CreatedAt, &r.Body} }

func testStatements(t *testing.T, db *DB) {
	ctx := t.Context()
	for i, slug := range []string{"a", "b", "c"} {
		n := full(slug)
		n.Views, n.Body = store.Int(int64(i)), store.Opt[string]{}
		mustCreate(t, db, n)
	}
	args := []any{int64(1), ArticleStatusPublished}
	rows, err := store.Many(ctx, db.Conn(), &busiest, args, (*busiestRow).fields)
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 2 || rows[0].Views != 2 || !rows[0].CreatedAt.Equal(noon) || rows[0].Body.Valid {
		t.Errorf("rows are %+v", rows)
	}
	row, err := store.One(ctx, db.Conn(), &busiest, args, (*busiestRow).fields)
	if err != nil || row != rows[0] {
		t.Errorf("row is %+v, %v", row, err)
	}
	_, err = store.One(ctx, db.Conn(), &busiest, []any{int64(9), ArticleStatusPublished}, (*busiestRow).fields)
	wantErr(t, err, store.ErrNotFound)
	none, err := store.Many(ctx, db.Conn(), &busiest, []any{int64(9), ArticleStatusPublished}, (*busiestRow).fields)
	if err != nil || none == nil || len(none) != 0 {
		t.Errorf("none is %v, %v", none, err)
	}
	same := "UPDATE article SET title = 'New' WHERE views >= 1"
	for range 2 { // rows that already hold the value count as well
		n, err := store.Exec(ctx, db.Conn(), &store.Statement{Text: [3]string{same, same, same}}, nil)
		if err != nil || n != 2 {
			t.Errorf("updated %d, %v", n, err)
		}
	}
	err = db.Tx(ctx, func(c *store.Conn) error {
		_, err := store.Many(ctx, c, &busiest, args, (*busiestRow).fields)
		return err
	})
	if err != nil {
		t.Error(err)
	}
	testExpressions(t, db)
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	_, err = store.Many(cancelled, db.Conn(), &busiest, args, (*busiestRow).fields)
	wantErr(t, err, context.Canceled)
}

// testExpressions reads what no column is.
func testExpressions(t *testing.T, db *DB) {
	t.Helper()
	var n, total int64
	var mean float64
	var most store.Null[int64]
	var any1 bool
	text := "SELECT count(*), sum(views), avg(views), max(rank), count(*) > 1 FROM article"
	if db.Conn().Dialect().String() == "mysql" {
		text = "SELECT count(*), sum(views), avg(views), max(`rank`), count(*) > 1 FROM article"
	}
	if err := db.Conn().QueryRow(t.Context(), text, nil, []any{&n, &total, &mean, &most, &any1}); err != nil {
		t.Fatal(err)
	}
	if n != 3 || total != 3 || mean != 1 || most != store.Some[int64](-7) || !any1 {
		t.Errorf("%d %d %v %v %v", n, total, mean, most, any1)
	}
}
