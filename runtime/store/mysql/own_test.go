package mysql_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/store/mysql"
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
		_, err := core.Open(t.Context(), dsn, nil, store.Options{})
		if err == nil || strings.Contains(err.Error(), "p4ss") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", dsn, err)
		}
	}
	dsn := storetest.FreshDSN(t, "mysql")
	wrong := strings.Replace(dsn, "@", "p4ss@", 1)
	if _, err := core.Open(t.Context(), wrong, nil, store.Options{}); err == nil || strings.Contains(err.Error(), "p4ss") {
		t.Errorf("a wrong password: %v", err)
	}
}

// TestSession reads the settings of a connection back.
func TestSession(t *testing.T) {
	db := storetest.Open(t, storetest.FreshDSN(t, "mysql"), store.Options{})
	var zone, mode, collation string
	err := db.Conn().QueryRow(t.Context(), "SELECT @@time_zone, @@sql_mode, @@collation_connection", nil, []any{&zone, &mode, &collation})
	if err != nil || zone != "+00:00" || !strings.Contains(mode, "STRICT_ALL_TABLES") || collation != "utf8mb4_bin" {
		t.Errorf("%s %s %s, %v", zone, mode, collation, err)
	}
}

// TestRowTooLarge creates a table of more short texts than InnoDB's pages hold: the error says which definitions fit.
func TestRowTooLarge(t *testing.T) {
	db, err := core.Open(t.Context(), storetest.FreshDSN(t, "mysql"), nil, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	create := func(table string, length int) error {
		text := "CREATE TABLE " + table + " (id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY"
		for i := range 60 {
			text += fmt.Sprintf(", f%d varchar(%d) NULL", i, length)
		}
		_, err := db.Conn().Exec(t.Context(), text+") ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin", nil)
		return err
	}
	if err := create("short", 63); err == nil || !strings.Contains(err.Error(), "let the max of some be 64") {
		t.Errorf("the error is %v", err)
	}
	if err := create("longer", 64); err != nil {
		t.Error(err)
	}
}

// TestReadOnlyServer writes where the sessions of the server, or of its user, are read-only.
func TestReadOnlyServer(t *testing.T) {
	db := storetest.Open(t, storetest.FreshDSN(t, "mysql"), store.Options{MaxConns: 1})
	if _, err := db.Conn().Exec(t.Context(), "SET SESSION TRANSACTION READ ONLY", nil); err != nil {
		t.Fatal(err)
	}
	_, err := db.Article.Create(t.Context(), storetest.ArticleNew{Slug: "s", Title: "Title"})
	if err == nil || errors.Is(err, store.ErrInvalid) || !strings.Contains(err.Error(), "transaction_read_only is on") {
		t.Errorf("the error is %v", err)
	}
}

// TestMigrationIsKept has the server keep the session of a migration, which has the lock, while another one is in use.
func TestMigrationIsKept(t *testing.T) {
	db, err := core.Open(t.Context(), storetest.FreshDSN(t, "mysql"), nil, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	b, _ := core.Below(db)
	m, err := b.(core.Migrator).Migration(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var idle int64
	err = m.QueryRow(t.Context(), "SELECT @@wait_timeout", nil, []any{&idle})
	if week := int64(7 * 24 * 3600); err != nil || idle < week {
		t.Errorf("the session may be idle for %d s, want a week at least: %v", idle, err)
	}
	if err := errors.Join(m.Close(), db.Close()); err != nil {
		t.Error(err)
	}
}

// TestIncrement adds rows where ids are not one apart, as with two primaries.
func TestIncrement(t *testing.T) {
	ctx := t.Context()
	db := storetest.Open(t, storetest.FreshDSN(t, "mysql"), store.Options{})
	err := db.Tx(ctx, func(c *core.Conn) error {
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
	_, err := core.Open(ctx, dsn, storetest.Schema(), store.Options{})
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
	_, err = core.Open(ctx, "mysql://me:p4ss@"+silent.Addr().String()+"/d", nil, store.Options{})
	if !errors.Is(err, context.DeadlineExceeded) || strings.Contains(err.Error(), "p4ss") {
		t.Errorf("a server that is silent: %v", err)
	}
	past, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	_, err = core.Open(past, "mysql://me:p4ss@"+silent.Addr().String()+"/d", nil, store.Options{})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a deadline that is past: %v", err)
	}
}

// TestUnprepared passes the suite with statements that hold their arguments, as
// they are sent while the server has no room for prepared ones.
func TestUnprepared(t *testing.T) {
	storetest.Run(t, func(t *testing.T) string { return storetest.FreshDSN(t, "mysql") + "?statements=0" })
}

// TestNoRoomForStatements takes the server's room for prepared statements away:
// what is open goes on, and so does Open.
func TestNoRoomForStatements(t *testing.T) {
	ctx := t.Context()
	dsn := storetest.FreshDSN(t, "mysql")
	db := storetest.Open(t, dsn, store.Options{MaxConns: 1})
	for i := range 10 {
		var n int64
		if err := db.Conn().QueryRow(ctx, fmt.Sprintf("SELECT %d + ?", i), []any{int64(1)}, []any{&n}); err != nil {
			t.Fatal(err)
		}
	}
	var most string
	if err := db.Conn().QueryRow(ctx, "SELECT CAST(@@GLOBAL.max_prepared_stmt_count AS CHAR)", nil, []any{&most}); err != nil {
		t.Fatal(err)
	}
	set := func(n string) {
		if _, err := db.Conn().Exec(context.Background(), "SET GLOBAL max_prepared_stmt_count = "+n, nil); err != nil {
			t.Fatal(err)
		}
	}
	closedBefore := sessionStatus(t, db, "Com_stmt_close")
	set("0")
	defer set(most)
	a, err := db.Article.Create(ctx, storetest.ArticleNew{Slug: "a", Title: "it's ? \\ \"x\""})
	if err != nil {
		t.Fatal(err)
	}
	if b, err := db.Article.Get(ctx, a.ID); err != nil || b.Title != a.Title {
		t.Errorf("%+v, %v", b, err)
	}
	if n := sessionStatus(t, db, "Com_stmt_close"); n < closedBefore+5 {
		t.Errorf("%d statements were dropped, not half", n-closedBefore)
	}
	other := storetest.Open(t, dsn, store.Options{})
	if b, err := other.Article.Get(ctx, a.ID); err != nil || b.Title != a.Title {
		t.Errorf("opened with no room: %+v, %v", b, err)
	}
}

func sessionStatus(t *testing.T, db *storetest.DB, name string) int {
	t.Helper()
	var key, value string
	if err := db.Conn().QueryRow(t.Context(), "SHOW SESSION STATUS LIKE '"+name+"'", nil, []any{&key, &value}); err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(value)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestKeptStatements runs more texts than a connection keeps prepared.
func TestKeptStatements(t *testing.T) {
	db := storetest.Open(t, storetest.FreshDSN(t, "mysql")+"?statements=20", store.Options{MaxConns: 1})
	for i := range 60 {
		var n int64
		if err := db.Conn().QueryRow(t.Context(), fmt.Sprintf("SELECT %d + ?", i), []any{int64(1)}, []any{&n}); err != nil || n != int64(i)+1 {
			t.Fatal(n, err)
		}
	}
	if made, closed := sessionStatus(t, db, "Com_stmt_prepare"), sessionStatus(t, db, "Com_stmt_close"); made-closed > 21 || closed < 40 {
		t.Errorf("%d statements prepared, %d closed", made, closed)
	}
}

// TestTooLarge sends more than the server takes, which closes the connection of
// who does.
func TestTooLarge(t *testing.T) {
	ctx := t.Context()
	for _, options := range []string{"", "?statements=0"} {
		db := storetest.Open(t, storetest.FreshDSN(t, "mysql")+options, store.Options{MaxConns: 1})
		var most int64
		if err := db.Conn().QueryRow(ctx, "SELECT CAST(@@max_allowed_packet AS SIGNED)", nil, []any{&most}); err != nil {
			t.Fatal(err)
		}
		for _, n := range []int{1, 2, 5} {
			value := strings.Repeat("x", int(most)/n+1)
			args := []any{}
			for range n {
				args = append(args, value)
			}
			_, err := db.Conn().Exec(ctx, "UPDATE article SET body = CONCAT(?"+strings.Repeat(", ?", n-1)+")", args)
			if !errors.Is(err, store.ErrInvalid) || !strings.Contains(err.Error(), "max_allowed_packet") {
				t.Errorf("%d of %d bytes: %v", n, len(value), err)
			}
			_, err = db.Conn().Exec(ctx, "UPDATE article SET cover = ?", []any{[]byte(strings.Repeat(value, n))})
			if !errors.Is(err, store.ErrInvalid) || !strings.Contains(err.Error(), "max_allowed_packet") {
				t.Errorf("%d bytes: %v", n*len(value), err)
			}
		}
		_, err := db.Article.Create(ctx, storetest.ArticleNew{Slug: "a", Title: "Title", Body: store.Set(strings.Repeat("x", int(most)))})
		if !errors.Is(err, store.ErrInvalid) {
			t.Error(err)
		}
	}
}

// TestErrorsHoldNoValues has the server quote values in its errors.
func TestErrorsHoldNoValues(t *testing.T) {
	ctx := t.Context()
	const secret = "hunter2"
	for _, options := range []string{"", "?statements=0"} {
		db := storetest.Open(t, storetest.FreshDSN(t, "mysql")+options, store.Options{})
		if _, err := db.Article.Create(ctx, storetest.ArticleNew{Slug: "a", Title: "Title"}); err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{
			"UPDATE article SET views = ?",
			"UPDATE article SET created_at = ?",
			"UPDATE article SET price = ?",
			"UPDATE article SET day = ?",
			"UPDATE article SET status = ?",
			"UPDATE article SET data = ?",
			"UPDATE article SET title = CONCAT(?, REPEAT('x', 300))",
			"INSERT INTO article (id, slug) VALUES (1, ?)",
			"SELECT ? FROM WHERE",
			"SELECT 1 FROM WHERE ?", // the server quotes the statement from its mistake on
		} {
			_, err := db.Conn().Exec(ctx, text, []any{secret})
			if err == nil {
				t.Errorf("%s: no error", text)
			}
			holdsNot(t, err, secret)
		}
	}
}

// holdsNot looks at an error and all that it wraps.
func holdsNot(t *testing.T, err error, secret string) {
	t.Helper()
	if strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), secret) {
		t.Errorf("%#v holds a value", err)
	}
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		if inner := e.Unwrap(); inner != nil {
			holdsNot(t, inner, secret)
		}
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			holdsNot(t, inner, secret)
		}
	}
}

// TestPool finds a row that the store has written.
func TestPool(t *testing.T) {
	db := storetest.Open(t, storetest.FreshDSN(t, "mysql"), store.Options{})
	if _, err := db.Article.Create(t.Context(), storetest.ArticleNew{Slug: "a", Title: "Title"}); err != nil {
		t.Fatal(err)
	}
	var n int
	if err := mysql.Pool(db.DB).QueryRowContext(t.Context(), "SELECT count(*) FROM article").Scan(&n); err != nil || n != 1 {
		t.Errorf("%d rows, %v", n, err)
	}
}

// TestReservedIdle has the server close reserved connections of a program that is gone, and no others.
func TestReservedIdle(t *testing.T) {
	db := storetest.Open(t, storetest.FreshDSN(t, "mysql"), store.Options{})
	view, err := db.Reserved(t.Context(), "test", 1, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	var own, reserved int64
	for conn, into := range map[*core.Conn]*int64{db.Conn(): &own, view.Conn(): &reserved} {
		if err := conn.QueryRow(t.Context(), "SELECT @@session.wait_timeout", nil, []any{into}); err != nil {
			t.Fatal(err)
		}
	}
	if reserved != 30 || own == 30 {
		t.Errorf("the server closes a reserved connection after %d s, and another after %d s", reserved, own)
	}
}

// TestTooManyChanges names what to set where a table was written to for longer than the server remembers
// while it changed it.
func TestTooManyChanges(t *testing.T) {
	db := storetest.Open(t, storetest.FreshDSN(t, "mysql"), store.Options{})
	_, err := db.Conn().Exec(t.Context(), "SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1799, MESSAGE_TEXT = 'too much'", nil)
	if err == nil || !strings.Contains(err.Error(), "SET GLOBAL") {
		t.Errorf("%v", err)
	}
}
