package storetest

import (
	"errors"
	"strings"
	"testing"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// testDocuments writes documents that a database may store in a form of its own: a
// write returns that form.
func testDocuments(t *testing.T, db *DB) {
	asWritten := asWritten(t, db)
	for _, doc := range []string{
		`{"b": 1, "a":1,"a":2}`, "[ 1e2,\n-0, 1.50 ]", `"\u00e9\ufffd\/"`, ` true `, "null", `{"long key":{}, "z":[]}`,
	} {
		n := full("doc")
		n.Data, n.Raw = store.Set(store.JSON(doc)), store.Set(store.JSON(doc))
		a := mustCreate(t, db, n)
		b, err := db.Article.Get(t.Context(), a.ID)
		if err != nil {
			t.Fatal(err)
		}
		if !asWritten && string(a.Data) != string(b.Data) || !asWritten && string(a.Raw.V) != string(b.Raw.V) || !a.Raw.Valid || !b.Raw.Valid {
			t.Errorf("%s: Create returns %s and %s, Get %s and %s", doc, a.Data, a.Raw.V, b.Data, b.Raw.V)
		}
		wantSame(t, a, b)
		if err := db.Article.Delete(t.Context(), a.ID); err != nil {
			t.Fatal(err)
		}
	}
	n := full("replaced") // the character by which encoding/json replaces others is one like any other
	n.Meta = store.Set(Meta{Tags: []string{"\ufffd", `\ufffd`}, Extra: map[string]string{"\ufffd": "x"}})
	a := mustCreate(t, db, n)
	b, err := db.Article.Get(t.Context(), a.ID)
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, a, b)
}

// asWritten reports whether Create returns documents as they were written although the
// database stores another form: MySQL returns nothing of a new row, and MariaDB stores texts.
func asWritten(t *testing.T, db *DB) bool {
	if db.Conn().Dialect() != sqltext.MySQL {
		return false
	}
	var version string
	if err := db.Conn().QueryRow(t.Context(), "SELECT version()", nil, []any{&version}); err != nil {
		t.Fatal(err)
	}
	return !strings.Contains(strings.ToLower(version), "mariadb")
}

// testRefusedDocuments writes what is no JSON, and texts that JSON cannot hold.
func testRefusedDocuments(t *testing.T, db *DB) {
	a := mustCreate(t, db, full("a"))
	const empty = "must not be empty: null, {} and [] are JSON"
	const utf8 = "must be valid UTF-8"
	for name, c := range map[string]struct {
		patch   ArticlePatch
		field   string
		rule    string
		message string
	}{
		"empty":         {ArticlePatch{Data: store.Set(store.JSON(""))}, "data", "json", empty},
		"nil":           {ArticlePatch{Data: store.Set(store.JSON(nil))}, "data", "json", empty},
		"null nil":      {ArticlePatch{Raw: store.Set(store.JSON(nil))}, "raw", "json", empty},
		"invalid UTF-8": {ArticlePatch{Data: store.Set(store.JSON("\"\xff\""))}, "data", "json", utf8},
		"member":        {ArticlePatch{Meta: store.Set(Meta{Tags: []string{"x", "\xff"}})}, "meta", "text", "tags[1]: " + utf8},
		"member value":  {ArticlePatch{More: store.Set(Meta{Extra: map[string]string{"k": "a\xc3"}})}, "more", "text", "extra: " + utf8},
		"member key":    {ArticlePatch{Meta: store.Set(Meta{Extra: map[string]string{"\xc3": "\ufffd"}})}, "meta", "text", "extra: " + utf8},
	} {
		_, err := db.Article.Update(t.Context(), a.ID, c.patch)
		var invalid *store.ValidationError
		if !errors.As(err, &invalid) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want := store.Violation{Field: c.field, Rule: c.rule, Message: c.message}
		if len(invalid.Violations) != 1 || invalid.Violations[0] != want {
			t.Errorf("%s: %+v, want %+v", name, invalid.Violations, want)
		}
	}
	for name, n := range map[string]ArticleNew{
		"new":      {Slug: "b", Title: "bb", Data: store.Set(store.JSON(""))},
		"new null": {Slug: "b", Title: "bb", Raw: store.Set(store.JSON(nil))},
	} {
		_, err := db.Article.Create(t.Context(), n)
		wantErr(t, err, store.ErrInvalid)
		if err == nil {
			t.Errorf("%s is stored", name)
		}
		_, err = db.Article.CreateMany(t.Context(), []ArticleNew{n})
		wantErr(t, err, store.ErrInvalid)
	}
}
