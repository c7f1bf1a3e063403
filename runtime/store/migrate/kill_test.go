package migrate_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/store/migrate"
	"github.com/hegner123/modulagen/runtime/store/migrate/script"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// A child is this test's binary, started with the DSN in this variable: it migrates, and kills itself
// before the statement whose number is in the other one.
const (
	childDSN  = "MODULAGEN_TEST_MIGRATE_DSN"
	childKill = "MODULAGEN_TEST_MIGRATE_KILL"
)

func TestMain(m *testing.M) {
	dsn := os.Getenv(childDSN)
	if dsn == "" {
		os.Exit(m.Run())
	}
	if err := child(context.Background(), dsn); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func child(ctx context.Context, dsn string) error {
	kill, err := strconv.ParseInt(os.Getenv(childKill), 10, 64)
	if err != nil {
		return err
	}
	migrate.Register("add_one", migrate.DataStep{Batch: addOne})
	db, err := core.Open(ctx, dsn, nil, store.Options{})
	if err != nil {
		return err
	}
	b, opts := core.Below(db)
	opts.NoBackup = true // copies have a test of their own
	opts.Migrate = store.MigrateUp
	mortal := &mortal{Backend: b, left: &countdown{}}
	mortal.left.n.Store(kill)
	v := tenSteps()
	if err := setOf(first, v).Ensure(ctx, mortal, schema(first, v), opts); err != nil {
		return err
	}
	fmt.Println(kill - mortal.left.n.Load()) // how many statements there are
	return db.Close()
}

// countdown kills the process when it comes to zero.
type countdown struct{ n atomic.Int64 }

func (c *countdown) tick() {
	if c.n.Add(-1) == 0 {
		if err := syscall.Kill(os.Getpid(), syscall.SIGKILL); err != nil {
			panic(err)
		}
		select {}
	}
}

// mortal is a backend that counts what is written.
type mortal struct {
	core.Backend
	left *countdown
}

func (m *mortal) Begin(ctx context.Context, opts store.TxOptions) (core.Transaction, error) {
	m.left.tick()
	tx, err := m.Backend.Begin(ctx, opts)
	return &mortalTx{tx, m.left}, err
}

func (m *mortal) Migration(ctx context.Context) (core.Migration, error) {
	inner, err := m.Backend.(core.Migrator).Migration(ctx)
	return &mortalMigration{inner, m.left}, err
}

type mortalMigration struct {
	core.Migration
	left *countdown
}

func (m *mortalMigration) Exec(ctx context.Context, sql string, args []any) (core.Result, error) {
	m.left.tick()
	return m.Migration.Exec(ctx, sql, args)
}

func (m *mortalMigration) Begin(ctx context.Context) (core.Transaction, error) {
	m.left.tick()
	tx, err := m.Migration.Begin(ctx)
	return &mortalTx{tx, m.left}, err
}

type mortalTx struct {
	core.Transaction
	left *countdown
}

func (t *mortalTx) Exec(ctx context.Context, sql string, args []any) (core.Result, error) {
	t.left.tick()
	return t.Transaction.Exec(ctx, sql, args)
}

func (t *mortalTx) Commit(ctx context.Context) error {
	t.left.tick()
	return t.Transaction.Commit(ctx)
}

// tenSteps changes the tables in ten steps. Of each that changes rows, one that runs twice shows in the
// sum of article.hits.
func tenSteps() version {
	v := subtitle
	v.name = "0002_ten"
	v.script = func(d sqltext.Dialect) *script.Script {
		concurrently := ""
		if d == sqltext.Postgres {
			concurrently = "CONCURRENTLY "
		}
		index := script.Step{Class: script.Blocks, What: "an index", Alone: d == sqltext.Postgres, Statements: []script.Statement{{
			SQL:  "CREATE INDEX " + concurrently + "article_hits_idx ON article (hits)",
			Done: []script.Probe{{Kind: "index", Table: "article", Name: "article_hits_idx"}},
		}}}
		create := script.Step{Class: script.Safe, What: "a table", Statements: []script.Statement{
			{SQL: "CREATE TABLE late (\n  id {ID},\n  n {INT} NOT NULL\n){END}", Done: []script.Probe{{Kind: "table", Table: "late"}}},
			{SQL: "INSERT INTO late (n) VALUES (1)"},
		}}
		data := script.Step{Class: script.Data, What: "a data step", Run: "add_one"}
		add := subtitle.script(d).Steps[0]
		drop := script.Step{Class: script.Destroys, What: "drop the table", Statements: []script.Statement{
			{SQL: "DROP TABLE late", Done: []script.Probe{{Missing: true, Kind: "table", Table: "late"}}},
		}}
		return &script.Script{Refused: "article.title is renamed", Steps: []script.Step{
			rename("title", "headline"), dataSQL("UPDATE article SET hits = hits + 1000"), create, index, data,
			add, dataSQL("UPDATE article SET hits = hits + (SELECT sum(n) FROM late) * 100000"), authorStep(d), drop,
			dataSQL("UPDATE article SET hits = hits + 10000000"),
		}}
	}
	return v
}

// authorStep makes a table anew on SQLite, and does a little elsewhere.
func authorStep(d sqltext.Dialect) script.Step {
	if d == sqltext.SQLite {
		return rebuilt()
	}
	return dataSQL("UPDATE author SET name = concat(name, '!')")
}

// tenStepsDone is the sum of hits when each step has run once on the two rows of seed.
const tenStepsDone = 30 + 2*(1000+1+100000+10000000)

// startChild starts a child, which never dies when kill is 0. It returns what it printed, and how it ended.
func startChild(dsn string, kill int) (out string, killed bool, err error) {
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childDSN+"="+dsn, childKill+"="+strconv.Itoa(kill))
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err = cmd.Run()
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() && status.Signal() == syscall.SIGKILL {
		return "", true, nil
	}
	if err != nil {
		err = fmt.Errorf("%w: %s", err, stderr.String())
	}
	return strings.TrimSpace(stdout.String()), false, err
}

// TestKilledAnywhere kills a process before each statement of a migration, and then starts two at once.
func TestKilledAnywhere(t *testing.T) {
	for _, d := range dialects {
		t.Run(d.String(), func(t *testing.T) {
			t.Parallel()
			dsn := freshDSN(t, d)
			seed(t, dsn)
			out, _, err := startChild(dsn, 0)
			if err != nil {
				t.Fatal(err)
			}
			n, err := strconv.Atoi(out)
			if err != nil || n < 20 {
				t.Fatalf("the child counted %q statements", out)
			}
			finished(t, dsn)
			for at := 1; at <= n; at++ {
				t.Run(strconv.Itoa(at), func(t *testing.T) { killedAt(t, freshDSN(t, d), at) })
			}
		})
	}
}

func killedAt(t *testing.T, dsn string, at int) {
	seed(t, dsn)
	if _, killed, err := startChild(dsn, at); err != nil || !killed {
		t.Fatalf("the child was not killed: %v", err)
	}
	var group sync.WaitGroup
	for range 2 {
		group.Go(func() {
			if _, _, err := startChild(dsn, 0); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	finished(t, dsn)
}

// finished checks that each step of tenSteps has run once.
func finished(t *testing.T, dsn string) {
	t.Helper()
	db := plainDB(t, dsn)
	want(t, db, "SELECT sum(hits) FROM article", tenStepsDone)
	want(t, db, "SELECT count(*) FROM author WHERE name IN ('ada', 'ada!')", 1)
	want(t, db, "SELECT count(*) FROM modulagen_migrations WHERE id = '0002_ten' AND state = 'done' AND ended_at IS NOT NULL", 1)
	matches(t, db, first, tenSteps())
}
