package storetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// busiest stands for a user's own query, with an argument that is used twice.
var busiest = core.Statement{
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
	rows, err := core.Many(ctx, db.Conn(), &busiest, args, (*busiestRow).fields)
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 2 || rows[0].Views != 2 || !rows[0].CreatedAt.Equal(noon) || rows[0].Body.Valid {
		t.Errorf("rows are %+v", rows)
	}
	row, err := core.One(ctx, db.Conn(), &busiest, args, (*busiestRow).fields)
	if err != nil || row != rows[0] {
		t.Errorf("row is %+v, %v", row, err)
	}
	_, err = core.One(ctx, db.Conn(), &busiest, []any{int64(9), ArticleStatusPublished}, (*busiestRow).fields)
	wantErr(t, err, store.ErrNotFound)
	none, err := core.Many(ctx, db.Conn(), &busiest, []any{int64(9), ArticleStatusPublished}, (*busiestRow).fields)
	if err != nil || none == nil || len(none) != 0 {
		t.Errorf("none is %v, %v", none, err)
	}
	same := "UPDATE article SET title = 'New' WHERE views >= 1"
	for range 2 { // rows that already hold the value count as well
		n, err := core.Exec(ctx, db.Conn(), &core.Statement{Text: [3]string{same, same, same}}, nil)
		if err != nil || n != 2 {
			t.Errorf("updated %d, %v", n, err)
		}
	}
	err = db.Tx(ctx, func(c *core.Conn) error {
		_, err := core.Many(ctx, c, &busiest, args, (*busiestRow).fields)
		return err
	})
	if err != nil {
		t.Error(err)
	}
	testExpressions(t, db)
	testParameters(t, db)
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	_, err = core.Many(cancelled, db.Conn(), &busiest, args, (*busiestRow).fields)
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
	var sum store.Null[int64]
	var half int64
	text = "SELECT sum(views) * 1.00, avg(views) FROM article"
	if err := db.Conn().QueryRow(t.Context(), text, nil, []any{&sum, &half}); err != nil || sum != store.Some[int64](3) || half != 1 {
		t.Errorf("whole decimals are %v %d, %v", sum, half, err)
	}
	if err := db.Conn().QueryRow(t.Context(), "SELECT avg(views) FROM article WHERE views > 0", nil, []any{&half}); err == nil {
		t.Error("1.5 was taken for a whole number")
	}
	if n != 3 || total != 3 || mean != 1 || most != store.Some[int64](-7) || !any1 {
		t.Errorf("%d %d %v %v %v", n, total, mean, most, any1)
	}
}

// testParameters returns a query arguments that no column could hold.
func testParameters(t *testing.T, db *DB) {
	t.Helper()
	text := [3]string{
		"SELECT count(*) FROM article WHERE price = ? AND title = ?",
		"SELECT count(*) FROM article WHERE price = $1 AND title = $2", "SELECT count(*) FROM article WHERE price = ? AND title = ?",
	}
	s := core.Statement{Text: text}
	named := core.Statement{Text: text, Params: []string{"price", "title"}}
	good, bad := dec("3.49"), dec("3.495")
	nul, null := "hunter2\x00", store.Some("hunter2\xff")
	for _, c := range []struct {
		s    *core.Statement
		args []any
		want string
	}{
		{&s, []any{core.DecimalField(&bad, 2), "x"}, "parameter 1: decimal has more than 2 digits behind the point"},
		{&s, []any{core.DecimalField(&good, 2), &nul}, "parameter 2: the text is not UTF-8 or holds a NUL byte"},
		{&s, []any{core.DecimalField(&good, 2), &null}, "parameter 2: the text is not UTF-8 or holds a NUL byte"},
		{&named, []any{core.DecimalField(&good, 2), nul}, "parameter title: the text is not UTF-8 or holds a NUL byte"},
		{&s, []any{store.Date{}, "x"}, "parameter 1: the date is no day between the years 1 and 9999"},
		{&s, []any{noon.AddDate(9000, 0, 0), "x"}, "parameter 1: the time is not between the years 1 and 9999"},
		{&s, []any{core.DecimalField(&good, 2), "Title"}, ""},
	} {
		count := func(n *int64) []any { return []any{n} }
		_, one := core.One(t.Context(), db.Conn(), c.s, c.args, count)
		_, many := core.Many(t.Context(), db.Conn(), c.s, c.args, count)
		_, exec := core.Exec(t.Context(), db.Conn(), c.s, c.args)
		for _, err := range []error{one, many, exec} {
			if c.want == "" && err != nil || c.want != "" && (!errors.Is(err, store.ErrInvalid) || err.Error() != "store: invalid: "+c.want) {
				t.Errorf("error is %v, want %s", err, c.want)
			}
		}
	}
}
