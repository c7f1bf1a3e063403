package apply_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/store/migrate"
)

// A posting becomes an article, in as many steps as a plan can have.
var (
	posting = definitions{
		"post": `fields:
  - {name: title, type: text, max: 200, required: true}
  - {name: subtitle, type: text}
  - {name: price, type: decimal}
  - {name: views, type: number, default: 0}
  - {name: status, type: select, options: [draft, published], default: draft}
  - {name: parent, type: reference, to: post, on_delete: cascade}
  - {name: size, type: json, fields: [{name: width, type: number}, {name: height, type: number}]}
indexes:
  - {fields: [status, title desc]}
  - {fields: [title], unique: true, where: {status: published}}
`,
		"comment": "fields:\n  - {name: post, type: reference, to: post, on_delete: cascade}\n",
	}
	article = definitions{
		"article": `was: post
fields:
  - {name: headline, was: title, type: text, max: 300, required: true}
  - {name: price, type: decimal, scale: 4}
  - {name: views, type: text, max: 100}
  - {name: slug, type: slug, required: true, existing: {value: none}}
  - {name: status, type: select, options: [draft, {value: live, was: published}], default: draft}
  - {name: at, type: datetime, default: now}
  - {name: parent, type: reference, to: article, on_delete: set_null}
  - {name: size, type: json, fields: [{name: height, was: width, type: number}, {name: width, was: height, type: number}]}
drop: [subtitle]
indexes:
  - {fields: [status, headline desc]}
  - {fields: [headline], unique: true, where: {status: live}}
`,
		"comment": "fields:\n  - {name: article, was: post, type: reference, to: article, on_delete: cascade}\n",
	}
)

// killVariable has the test's binary be a process that migrates: "N DSN", killed at the N-th
// statement.
const killVariable = "MODULAGEN_TEST_KILL"

func TestMain(m *testing.M) {
	if at := os.Getenv(killVariable); at != "" {
		if err := migrateUntilKilled(at); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func migrateUntilKilled(what string) error {
	number, dsn, _ := strings.Cut(what, " ")
	at, err := strconv.Atoi(number)
	if err != nil {
		return err
	}
	programs, _, err := historyOf(posting, article)
	if err != nil {
		return err
	}
	p := programs[1]
	ctx := context.Background()
	return with(ctx, dsn, func(db *core.DB) error {
		b, _ := core.Below(db)
		_, err := p.set.Up(ctx, &mortal{Backend: b, at: at}, p.schema, migrate.Options{NoBackup: true})
		return err
	})
}

// mortal is a backend whose process is killed before a statement of the migration, which is
// after the one before it.
type mortal struct {
	core.Backend
	at, n int
}

func (m *mortal) Migration(ctx context.Context) (core.Migration, error) {
	c, err := m.Backend.(core.Migrator).Migration(ctx)
	return &mortalConn{c, m}, err
}

type mortalConn struct {
	core.Migration
	m *mortal
}

func (c *mortalConn) Exec(ctx context.Context, sql string, args []any) (core.Result, error) {
	return c.m.exec(ctx, c.Migration, sql, args)
}

func (c *mortalConn) Begin(ctx context.Context) (core.Transaction, error) {
	tx, err := c.Migration.Begin(ctx)
	return &mortalTx{tx, c.m}, err
}

type mortalTx struct {
	core.Transaction
	m *mortal
}

func (t *mortalTx) Exec(ctx context.Context, sql string, args []any) (core.Result, error) {
	return t.m.exec(ctx, t.Transaction, sql, args)
}

func (t *mortalTx) Commit(ctx context.Context) error {
	_, err := t.m.exec(ctx, committer{t.Transaction}, "", nil)
	return err
}

type committer struct{ core.Transaction }

func (c committer) Exec(ctx context.Context, _ string, _ []any) (core.Result, error) {
	return core.Result{}, c.Commit(ctx)
}

func (m *mortal) exec(ctx context.Context, s core.Session, sql string, args []any) (core.Result, error) {
	m.n++
	if m.at == m.n {
		die()
	}
	return s.Exec(ctx, sql, args)
}

func die() {
	if err := syscall.Kill(os.Getpid(), syscall.SIGKILL); err != nil {
		panic(err)
	}
	select {}
}

// TestPlannedMigrationKilled kills the process before statements of a migration that the generator has
// planned, and has two processes go on at once: before a quarter of them, another one each time.
// Package migrate has a test of every statement of a shorter migration.
func TestPlannedMigrationKilled(t *testing.T) {
	first := 1 + rand.IntN(quarter)
	t.Logf("killed before statement %d and each %dth after it", first, quarter)
	everywhere(t, func(t *testing.T, fresh func() string) {
		databases := make([]string, atOnce)
		for at, ended := first, false; !ended; at += atOnce * quarter {
			var wg sync.WaitGroup
			done := make([]bool, atOnce)
			for i := range atOnce {
				if databases[i] == "" || strings.HasPrefix(databases[i], "sqlite") {
					databases[i] = fresh()
				} else {
					empty(t, databases[i]) // a new database takes a server ten times as long
				}
				dsn := databases[i]
				fillPosts(t, dsn)
				wg.Go(func() { done[i] = killedAt(t, at+i*quarter, dsn) })
			}
			wg.Wait()
			ended = slices.Contains(done, true)
			if ended && at+slices.Index(done, true)*quarter < 20 {
				t.Fatalf("the migration has ended before statement %d", at+slices.Index(done, true)*quarter)
			}
		}
	})
}

// empty removes all tables.
func empty(t *testing.T, dsn string) {
	t.Helper()
	if strings.HasPrefix(dsn, "postgres") {
		run(t, dsn, "DROP SCHEMA public CASCADE", "CREATE SCHEMA public")
		return
	}
	run(t, dsn, "DROP TABLE comment", "DROP TABLE article", "DROP TABLE "+migrate.Ledger)
}

const quarter = 4

// atOnce is how many databases are migrated at a time: most of it is waiting for a server.
const atOnce = 4

// killedAt kills a process at a statement, and has two go on. It reports whether the migration has
// ended before.
func killedAt(t *testing.T, at int, dsn string) (ended bool) {
	killed, err := child(at, dsn)
	if err != nil {
		t.Error(err)
		return true
	}
	if killed {
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				if out, err := process(0, dsn).CombinedOutput(); err != nil {
					t.Errorf("killed at %d, then one of two: %v: %s", at, err, out)
				}
			})
		}
		wg.Wait()
	}
	checkArticles(t, dsn, at)
	return !killed
}

func process(at int, dsn string) *exec.Cmd {
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), fmt.Sprintf("%s=%d %s", killVariable, at, dsn))
	return c
}

func child(at int, dsn string) (killed bool, err error) {
	c := process(at, dsn)
	text, err := c.CombinedOutput()
	if err == nil {
		return false, nil
	}
	if status, ok := c.ProcessState.Sys().(syscall.WaitStatus); !ok || !status.Signaled() {
		return false, fmt.Errorf("at %d: %w: %s", at, err, text)
	}
	return true, nil
}

func fillPosts(t *testing.T, dsn string) {
	t.Helper()
	p := history(t, posting)[0]
	if _, err := p.up(context.Background(), dsn); err != nil {
		t.Fatal(err)
	}
	run(t, dsn,
		"INSERT INTO post (id, title, subtitle, price, views, status) VALUES (1, 'a', 's', 150, 7, 'published'), (2, 'b', NULL, NULL, 0, 'draft'), (9, 'c', 'x', 99, -9223372036854775807, 'published')",
		"UPDATE post SET parent = 1 WHERE id = 2",
		`UPDATE post SET size = '{"width":1,"height":2}' WHERE id > 1`,
		"INSERT INTO comment (id, post) VALUES (1, 1), (2, 9), (3, NULL)")
}

func checkArticles(t *testing.T, dsn string, at int) {
	t.Helper()
	price := "CAST(price AS CHAR(40))"
	one, nine := "150.0000", "99.0000"
	if strings.HasPrefix(dsn, "sqlite") {
		one, nine = "15000", "9900"
	}
	text := func(parts ...string) string {
		if strings.HasPrefix(dsn, "mysql") {
			return "CONVERT(CONCAT_WS(' ', CONVERT(" + strings.Join(parts, " USING utf8mb4), CONVERT(") + " USING utf8mb4)) USING utf8mb4)"
		}
		return strings.Join(parts, " || ' ' || ")
	}
	got := rows(t, dsn, "SELECT "+text("headline", "COALESCE(TRIM("+price+"), 'none')", "views", "slug", "status", "COALESCE(CAST(parent AS CHAR(5)), '-')")+" FROM article ORDER BY id")
	for i := range got {
		got[i] = strings.Join(strings.Fields(got[i]), " ")
	}
	want := []string{"a " + one + " 7 none live -", "b none 0 none draft 1", "c " + nine + " -9223372036854775807 none live -"}
	if !slices.Equal(got, want) {
		t.Errorf("killed at %d: the articles are %q, not %q", at, got, want)
	}
	for _, doc := range rows(t, dsn, "SELECT "+asText(dsn, "size")+" FROM article WHERE id > 1") {
		if doc == "NULL" || canonical(t, doc) != `{"height":1,"width":2}` {
			t.Errorf("killed at %d: members that change places are %s", at, doc)
		}
	}
	if got := rows(t, dsn, "SELECT COALESCE(CAST(article AS CHAR(5)), '-') FROM comment ORDER BY id"); !slices.Equal(trimmed(got), []string{"1", "9", "-"}) {
		t.Errorf("killed at %d: the comments point to %q", at, got)
	}
	p := history(t, posting, article)[1]
	err := with(context.Background(), dsn, func(db *core.DB) error {
		b, _ := core.Below(db)
		found, err := migrate.Verify(context.Background(), b, p.schema)
		if len(found.Differences) > 0 {
			t.Errorf("killed at %d: %s", at, strings.Join(found.Differences, "\n"))
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func trimmed(all []string) []string {
	for i := range all {
		all[i] = strings.TrimSpace(all[i])
	}
	return all
}
