package apply_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/store/migrate"
)

// TestKeepWhileItIsFilled has programs of both versions write between the triggers and the first
// rows that are filled: a write of other columns leaves both of the kept ones alone.
func TestKeepWhileItIsFilled(t *testing.T) {
	everywhere(t, func(t *testing.T, fresh func() string) {
		ctx, dsn := t.Context(), fresh()
		p := history(t,
			definitions{"note": "fields:\n  - {name: title, type: text, max: 100}\n  - {name: n, type: number}\n"},
			definitions{"note": "fields:\n  - {name: headline, was: title, keep: true, type: text, max: 100}\n  - {name: n, type: number}\n"})
		if _, err := p[0].up(ctx, dsn); err != nil {
			t.Fatal(err)
		}
		run(t, dsn, "INSERT INTO note (title, n) VALUES ('a', 1), ('b', 2), ('c', 3), (NULL, 4)")
		between := 0
		write := func() {
			between++
			run(t, dsn, "UPDATE note SET n = n + 10 WHERE n < 5", "UPDATE note SET title = 'B' WHERE n = 12", "UPDATE note SET headline = 'C' WHERE n = 13")
		}
		err := with(ctx, dsn, func(db *core.DB) error {
			b, _ := core.Below(db)
			_, err := p[1].set.Up(ctx, &interrupted{b, write}, p[1].schema, migrate.Options{NoBackup: true})
			return err
		})
		if err != nil || between != 1 {
			t.Fatalf("%d writes between, %v", between, err)
		}
		if got := rows(t, dsn, "SELECT headline FROM note ORDER BY n"); !slices.Equal(got, []string{"a", "B", "C", "NULL"}) {
			t.Errorf("the rows are %q", got)
		}
	})
}

// interrupted is a backend that calls write before the transaction that fills rows.
type interrupted struct {
	core.Backend
	write func()
}

func (b *interrupted) Migration(ctx context.Context) (core.Migration, error) {
	c, err := b.Backend.(core.Migrator).Migration(ctx)
	return &interruptedConn{c, b.write}, err
}

type interruptedConn struct {
	core.Migration
	write func()
}

// QueryRow calls write before the rows of the table are counted, with which the fill begins.
func (c *interruptedConn) QueryRow(ctx context.Context, sql string, args, dest []any) error {
	if strings.HasPrefix(sql, "SELECT count(*) FROM ") && strings.Contains(sql, "note") {
		c.write()
	}
	return c.Migration.QueryRow(ctx, sql, args, dest)
}

// TestKeepOfEqualValues writes values that databases take for equal to those that are there, and that are not the
// same: numbers in JSON with a fraction of zero, texts that end in blanks.
func TestKeepOfEqualValues(t *testing.T) {
	everywhere(t, func(t *testing.T, fresh func() string) {
		dsn := fresh()
		p := history(t,
			definitions{"note": "fields:\n  - {name: title, type: text, max: 100}\n  - {name: meta, type: json}\n"},
			definitions{"note": "fields:\n  - {name: headline, was: title, keep: true, type: text, max: 100}\n  - {name: extra, was: meta, keep: true, type: json}\n"})
		prepared(t, p, dsn, `INSERT INTO note (id, title, meta) VALUES (1, 'a', '{"n":1}'), (2, 'a', '{"n":1}')`)
		run(t, dsn, `UPDATE note SET title = 'a ', meta = '{"n":1.0}' WHERE id = 1`, `UPDATE note SET headline = 'a ', extra = '{"n":1.0}' WHERE id = 2`)
		want := []string{"a |", "a |"}
		for _, column := range []string{"title", "headline"} {
			query := "SELECT " + column + " || '|' FROM note ORDER BY id"
			if strings.HasPrefix(dsn, "mysql:") {
				query = "SELECT CONCAT(" + column + ", '|') FROM note ORDER BY id"
			}
			if got := rows(t, dsn, query); !slices.Equal(got, want) {
				t.Errorf("%s: %q", column, got)
			}
		}
		for _, column := range []string{"meta", "extra"} {
			for _, got := range rows(t, dsn, "SELECT "+column+" FROM note ORDER BY id") {
				if !strings.Contains(got, "1.0") {
					t.Errorf("%s: %s", column, got)
				}
			}
		}
	})
}
