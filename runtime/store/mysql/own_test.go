package mysql_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/storetest"
)

// TestPasswordsStayAside opens what cannot be opened.
func TestPasswordsStayAside(t *testing.T) {
	for dsn, want := range map[string]string{
		"mysql://me:p4ss%zz@localhost/d":    "malformed",
		"mysql://me:p4ss@localhost":         "malformed",
		"mysql://localhost/d":               "malformed",
		"mysql://me:p4ss@localhost/d?x=1":   `unknown option "x"`,
		"mysql://me:p4ss@/d":                "malformed",
		"mysql://me:p4ss@127.0.0.1:1/d":     "127.0.0.1:1/d",
		"mysql://me:p4ss@/d?socket=/none/s": "/none/s",
		"mysql://me:p4ss@h/d?tls=x":         "mysql:",
	} {
		_, err := store.Open(t.Context(), dsn, nil, store.Options{})
		if err == nil || strings.Contains(err.Error(), "p4ss") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", dsn, err)
		}
	}
	dsn := storetest.FreshDSN(t, "mysql")
	wrong := strings.Replace(dsn, "@", "p4ss@", 1)
	if _, err := store.Open(t.Context(), wrong, nil, store.Options{}); err == nil || strings.Contains(err.Error(), "p4ss") {
		t.Errorf("a wrong password: %v", err)
	}
}

// TestSession reads back what each connection was told.
func TestSession(t *testing.T) {
	db := storetest.Open(t, storetest.FreshDSN(t, "mysql"), store.Options{})
	var zone, mode, collation string
	err := db.Conn().QueryRow(t.Context(), "SELECT @@time_zone, @@sql_mode, @@collation_connection", nil, []any{&zone, &mode, &collation})
	if err != nil || zone != "+00:00" || !strings.Contains(mode, "STRICT_ALL_TABLES") || collation != "utf8mb4_bin" {
		t.Errorf("%s %s %s, %v", zone, mode, collation, err)
	}
}

// TestIncrement adds rows where ids are not one apart, as with two primaries.
func TestIncrement(t *testing.T) {
	ctx := t.Context()
	db := storetest.Open(t, storetest.FreshDSN(t, "mysql"), store.Options{})
	err := db.Tx(ctx, func(c *store.Conn) error {
		if _, err := c.Exec(ctx, "SET SESSION auto_increment_increment = 7", nil); err != nil {
			return err
		}
		defer c.Exec(ctx, "SET SESSION auto_increment_increment = 1", nil)
		var ns []storetest.ArticleNew
		for i := range 100 {
			ns = append(ns, storetest.ArticleNew{Slug: strings.Repeat("a", i+1), Title: "Title"})
		}
		ids, err := storetest.In(c).Article.CreateMany(ctx, ns)
		if err != nil {
			return err
		}
		for i, id := range ids {
			a, err := storetest.In(c).Article.Get(ctx, id)
			if err != nil || a.Slug != ns[i].Slug {
				t.Fatalf("row %d has not the id %d: %v", i, id, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestCollation opens tables that someone made with the collation that pads.
func TestCollation(t *testing.T) {
	ctx := t.Context()
	dsn := storetest.FreshDSN(t, "mysql")
	db := storetest.Open(t, dsn, store.Options{})
	for _, text := range []string{
		"ALTER TABLE article DROP FOREIGN KEY article_author_fk",
		"ALTER TABLE author CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
		"ALTER TABLE article MODIFY body longtext CHARACTER SET latin1 COLLATE latin1_swedish_ci",
	} {
		if _, err := db.Conn().Exec(ctx, text, nil); err != nil {
			t.Fatal(err)
		}
	}
	_, err := store.Open(ctx, dsn, storetest.Schema(), store.Options{})
	differs, ok := errors.AsType[*store.SchemaError](err)
	if !ok || len(differs.Differences) != 2 ||
		!strings.HasPrefix(differs.Differences[0], "author: text is compared by the collation utf8mb4_bin, it must be utf8mb4_") ||
		!strings.HasPrefix(differs.Differences[1], "article: text is compared by the collation latin1_swedish_ci, it must be utf8mb4_") {
		t.Fatal(err)
	}
	for _, d := range differs.Differences { // each says what to do
		_, repair, _ := strings.Cut(d, "on text: ")
		if _, err := db.Conn().Exec(ctx, repair, nil); err != nil {
			t.Errorf("%s: %v", repair, err)
		}
	}
	storetest.Open(t, dsn, store.Options{})
}

// TestDialDeadline opens a server that takes connections and says nothing.
func TestDialDeadline(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = store.Open(ctx, "mysql://me:p4ss@"+silent.Addr().String()+"/d", nil, store.Options{})
	if !errors.Is(err, context.DeadlineExceeded) || strings.Contains(err.Error(), "p4ss") {
		t.Errorf("a server that is silent: %v", err)
	}
	past, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	_, err = store.Open(past, "mysql://me:p4ss@"+silent.Addr().String()+"/d", nil, store.Options{})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a deadline that is past: %v", err)
	}
}
