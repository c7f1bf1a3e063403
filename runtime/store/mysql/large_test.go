package mysql_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sort"
	"strings"
	"testing"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/check"
	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/store/storetest"
)

// packet is the server's max_allowed_packet.
func packet(t *testing.T, db *storetest.DB) (most int) {
	t.Helper()
	var n int64
	if err := db.Conn().QueryRow(t.Context(), "SELECT CAST(@@max_allowed_packet AS SIGNED)", nil, []any{&n}); err != nil {
		t.Fatal(err)
	}
	return int(n)
}

// TestTooLargeNamesField writes values that the server does not take by each method: the error names the
// field, its size and the server's setting, and the connection is as good as before.
func TestTooLargeNamesField(t *testing.T) {
	ctx := t.Context()
	for _, options := range []string{"", "?statements=0"} {
		db := storetest.Open(t, storetest.FreshDSN(t, "mysql")+options, store.Options{MaxConns: 1})
		most := packet(t, db)
		row, err := db.Article.Create(ctx, storetest.ArticleNew{Slug: "a", Title: "Title"})
		if err != nil {
			t.Fatal(err)
		}
		large := bytes.Repeat([]byte("x"), most)
		text := string(large)
		add := func(slug string) storetest.ArticleNew {
			return storetest.ArticleNew{Slug: slug, Title: "Title", Body: store.Set("y"), Cover: store.Set(large)}
		}
		for _, c := range []struct {
			name, field string
			write       func() error
		}{
			{"Create", "cover", func() error { _, err := db.Article.Create(ctx, add("b")); return err }},
			{"Upsert", "cover", func() error { _, err := db.Article.UpsertUnique(ctx, 0, add("a")); return err }},
			{"Update", "body", func() error {
				_, err := db.Article.Update(ctx, row.ID, storetest.ArticlePatch{Title: store.Set("Tt"), Body: store.Set(text)})
				return err
			}},
			{"UpdateIf", "body", func() error {
				_, err := db.Article.UpdateIf(ctx, row.ID, storetest.ArticleFields.Views.Eq(0), storetest.ArticlePatch{Body: store.Set(text)})
				return err
			}},
			{"UpdateWhere", "body", func() error {
				_, err := db.Article.UpdateWhere(ctx, storetest.ArticleFields.Views.Eq(0), storetest.ArticlePatch{Body: store.Set(text)})
				return err
			}},
			{"Append", "body", func() error {
				_, err := db.Article.Update(ctx, row.ID, storetest.ArticlePatch{Body: store.Append(text)})
				return err
			}},
			{"CreateMany", "cover", func() error {
				_, err := db.Article.CreateMany(ctx, []storetest.ArticleNew{{Slug: "c", Title: "Title"}, add("d")})
				return err
			}},
		} {
			err := c.write()
			var invalid *store.ValidationError
			if !errors.As(err, &invalid) || len(invalid.Violations) != 1 || invalid.Violations[0].Field != c.field || invalid.Violations[0].Rule != "size" {
				t.Errorf("%s: %v", c.name, err)
				continue
			}
			if many := c.name == "CreateMany"; invalid.Many != many || many && invalid.Row != 1 {
				t.Errorf("%s: the row is %d, %t", c.name, invalid.Row, invalid.Many)
			}
			said := fmt.Sprintf("has %d bytes, and a statement of the server takes %d with all of its values: raise its max_allowed_packet", len(large), most)
			if invalid.Violations[0].Message != said {
				t.Errorf("%s: %v", c.name, err)
			}
		}
		if n, err := db.Article.Count(ctx, store.Cond[storetest.ArticleID]{}, 0); err != nil || n != 1 {
			t.Errorf("%d rows, %v", n, err)
		}
	}
}

// TestTooLargeWithEscapes sends statements with their values in them, where a quote takes two bytes.
func TestTooLargeWithEscapes(t *testing.T) {
	ctx := t.Context()
	db := storetest.Open(t, storetest.FreshDSN(t, "mysql")+"?statements=0", store.Options{MaxConns: 1})
	most := packet(t, db)
	quotes := func(n int) storetest.ArticleNew {
		return storetest.ArticleNew{Slug: fmt.Sprint(n), Title: "Title", Cover: store.Set(bytes.Repeat([]byte(`'`), n))}
	}
	_, err := db.Article.Create(ctx, quotes(most/2))
	var invalid *store.ValidationError // and not the server's answer, which a broken connection may lose
	if !errors.As(err, &invalid) || invalid.Violations[0].Field != "cover" {
		t.Error(err)
	}
	row, err := db.Article.Create(ctx, quotes(most/2-2000))
	if err != nil {
		t.Fatal(err)
	}
	if len(row.Cover) != most/2-2000 {
		t.Errorf("%d bytes", len(row.Cover))
	}
}

// TestAppendBeyondPacket appends to a text what each statement has room for, and the server none.
func TestAppendBeyondPacket(t *testing.T) {
	ctx := t.Context()
	db := storetest.Open(t, storetest.FreshDSN(t, "mysql"), store.Options{MaxConns: 1})
	half := strings.Repeat("x", packet(t, db)/2+1000)
	row, err := db.Article.Create(ctx, storetest.ArticleNew{Slug: "a", Title: "Title", Body: store.Set(half)})
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.Article.Update(ctx, row.ID, storetest.ArticlePatch{Body: store.Append(half)})
	if !errors.Is(err, store.ErrInvalid) || !strings.Contains(err.Error(), "max_allowed_packet") {
		t.Error(err)
	}
	if row, err = db.Article.Get(ctx, row.ID); err != nil || row.Body.V != half {
		t.Errorf("the text has changed, %v", err)
	}
}

// TestLargestThatFits writes the largest value that the store does not refuse.
func TestLargestThatFits(t *testing.T) {
	ctx := t.Context()
	for _, options := range []string{"", "?statements=0"} {
		db := storetest.Open(t, storetest.FreshDSN(t, "mysql")+options, store.Options{MaxConns: 1})
		most := packet(t, db)
		refused := func(n int) bool {
			_, err := db.Article.Create(ctx, storetest.ArticleNew{Slug: fmt.Sprint(n), Title: "Title", Cover: store.Set(make([]byte, n))})
			var invalid *store.ValidationError
			if err != nil && (!errors.As(err, &invalid) || invalid.Violations[0].Rule != "size") {
				t.Fatalf("%d bytes: %v", n, err)
			}
			return err != nil
		}
		first := most/2 - 2048 // zero bytes take two where they are written
		if options == "" {
			first = most - 2048
		}
		if at := first + sort.Search(2048, func(more int) bool { return refused(first + more) }); at == first || at == first+2048 {
			t.Errorf("the first that is refused has %d of %d bytes", at, most)
		}
	}
}

// TestWarnsOfSizes opens tables with fields that may hold more than the server takes.
func TestWarnsOfSizes(t *testing.T) {
	dsn := storetest.FreshDSN(t, "mysql")
	most := packet(t, storetest.Open(t, dsn, store.Options{}))
	opened := func(rules map[string]check.Rules) string {
		var log strings.Builder
		schema := storetest.Schema()
		article := &schema.Tables[1]
		article.Columns = append([]core.Column(nil), article.Columns...)
		for i, c := range article.Columns {
			if r, ok := rules[c.Name]; ok {
				article.Columns[i].Rules = r
			}
		}
		db, err := core.Open(context.Background(), dsn, schema, store.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
		return log.String()
	}
	at := func(kind check.Kind, most int) check.Rules {
		return check.Rules{Kind: kind, Max: check.AtInt(int64(most))}
	}
	said := opened(map[string]check.Rules{"cover": at(check.Bytes, most+1), "thumb": at(check.Bytes, most), "body": at(check.Text, most/2), "data": at(check.JSON, 1<<20)})
	for _, want := range []string{"level=WARN", fmt.Sprintf("max_allowed_packet=%d", most), fmt.Sprintf("article.cover (%d bytes)", most+1), fmt.Sprintf("article.body (%d bytes)", most/2*4)} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is not in the log: %s", want, said)
		}
	}
	if strings.Contains(said, "thumb") || strings.Contains(said, "data") || strings.Count(said, "\n") != 1 {
		t.Errorf("the log says %s", said)
	}
	if said := opened(map[string]check.Rules{"cover": at(check.Bytes, most)}); said != "" {
		t.Errorf("the log says %s", said)
	}
}
