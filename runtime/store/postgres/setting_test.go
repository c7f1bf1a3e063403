package postgres_test

import (
	"strings"
	"testing"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/store/storetest"
)

// TestServerReadsBackslashes opens a database whose settings have the server read backslashes in texts as escapes, as
// those of before PostgreSQL 9.1 did: texts in statements are what they are elsewhere.
func TestServerReadsBackslashes(t *testing.T) {
	dsn := storetest.FreshDSN(t, "postgres")
	plain, err := core.Open(t.Context(), dsn, nil, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var name string
	if err := plain.Conn().QueryRow(t.Context(), "SELECT current_database()", nil, []any{&name}); err != nil {
		t.Fatal(err)
	}
	if _, err := plain.Conn().Exec(t.Context(), `ALTER DATABASE "`+name+`" SET standard_conforming_strings = off`, nil); err != nil {
		t.Fatal(err)
	}
	if err := plain.Close(); err != nil {
		t.Fatal(err)
	}
	for _, more := range []string{"", "&standard_conforming_strings=off"} {
		db := storetest.Open(t, dsn+more, store.Options{})
		var text string
		if err := db.Conn().QueryRow(t.Context(), `SELECT 'c:\new'`, nil, []any{&text}); err != nil || text != `c:\new` {
			t.Errorf("%q: %q, %v", more, text, err)
		}
		row, err := db.Article.Create(t.Context(), storetest.ArticleNew{Slug: "s" + strings.Trim(more, "&"), Title: `c:\new`})
		if err != nil || row.Title != `c:\new` {
			t.Errorf("%q: %q, %v", more, row.Title, err)
		}
	}
}
