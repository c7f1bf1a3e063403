package apply_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/hegner123/modulagen/gen"
	"github.com/hegner123/modulagen/gen/behavior"
	"github.com/hegner123/modulagen/gen/load"
	evolution "github.com/hegner123/modulagen/gen/migrate"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/store/migrate"
	_ "github.com/hegner123/modulagen/runtime/store/mysql"
	_ "github.com/hegner123/modulagen/runtime/store/postgres"
	_ "github.com/hegner123/modulagen/runtime/store/sqlite"
	"github.com/hegner123/modulagen/runtime/store/storetest"
)

// definitions are files of datatypes by their names, without the line of the name.
type definitions map[string]string

// read reads definitions, and applies behaviors.
func read(all definitions) (*model.Project, error) {
	files := fstest.MapFS{}
	for name, text := range all {
		files["datatypes/"+name+".yaml"] = &fstest.MapFile{Data: []byte("name: " + name + "\n" + text)}
	}
	p, err := load.Load(files, gen.Behaviors)
	if err == nil {
		err = behavior.Apply(p, gen.Behaviors)
	}
	return p, load.Quote(files, err)
}

// program is what a program has of its migrations.
type program struct {
	set    *migrate.Set
	schema *core.Schema
}

// history makes the migrations of versions, one after the other, and returns the program of each.
func history(tb testing.TB, versions ...definitions) []program {
	tb.Helper()
	all, _, err := historyOf(versions...)
	if err != nil {
		tb.Fatal(err)
	}
	return all
}

// chainOf is the chain of the migrations of versions.
func chainOf(tb testing.TB, versions ...definitions) *evolution.Chain {
	tb.Helper()
	_, chain, err := historyOf(versions...)
	if err != nil {
		tb.Fatal(err)
	}
	return chain
}

func historyOf(versions ...definitions) (out []program, chain *evolution.Chain, err error) {
	chain = &evolution.Chain{}
	for _, v := range versions {
		p, err := read(v)
		if err != nil {
			return nil, nil, err
		}
		next, err := chain.Next("change", p)
		if err != nil {
			return nil, nil, err
		}
		chain = &evolution.Chain{Migrations: append(append([]*evolution.Migration{}, chain.Migrations...), next...)}
		out = append(out, program{chain.Set(), evolution.Schema(p.Datatypes)})
	}
	return out, chain, nil
}

// historyDropping is history of two versions, of which the second drops datatypes on purpose.
func historyDropping(tb testing.TB, before, after definitions, drop ...string) []program {
	tb.Helper()
	chain := &evolution.Chain{}
	var out []program
	for i, v := range []definitions{before, after} {
		p, err := read(v)
		if err != nil {
			tb.Fatal(err)
		}
		if i == 1 {
			for _, name := range drop {
				p.Config.Drop = append(p.Config.Drop, model.Dropped{Name: name})
			}
		}
		next, err := chain.Next("change", p)
		if err != nil {
			tb.Fatal(err)
		}
		chain = &evolution.Chain{Migrations: append(slices.Clone(chain.Migrations), next...)}
		out = append(out, program{chain.Set(), evolution.Schema(p.Datatypes)})
	}
	return out
}

// up applies what a database lacks.
func (p program) up(ctx context.Context, dsn string) (r *migrate.Report, err error) {
	err = with(ctx, dsn, func(db *core.DB) error {
		b, _ := core.Below(db)
		r, err = p.set.Up(ctx, b, p.schema, migrate.Options{NoBackup: true})
		return err
	})
	return r, err
}

// open opens a database as generated code does.
func (p program) open(ctx context.Context, dsn string, opts store.Options) (*core.DB, error) {
	schema := *p.schema
	schema.Ensure = p.set.Ensure
	db, err := core.Open(ctx, dsn, &schema, opts)
	if err != nil {
		return nil, err
	}
	if err := p.set.Announce(ctx, db); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// with opens a database as it is.
func with(ctx context.Context, dsn string, fn func(db *core.DB) error) error {
	db, err := core.Open(ctx, dsn, nil, store.Options{})
	if err != nil {
		return err
	}
	return errors.Join(fn(db), db.Close())
}

// everywhere runs a test on each database.
func everywhere(t *testing.T, test func(t *testing.T, fresh func() string)) {
	inTransactions(t, test)
	onServer(t, "mysql", test)
}

// inTransactions runs a test on the databases that change tables in transactions.
func inTransactions(t *testing.T, test func(t *testing.T, fresh func() string)) {
	t.Run("sqlite", func(t *testing.T) {
		test(t, func() string { return "sqlite:" + t.TempDir() + "/app.db" })
	})
	onServer(t, "postgres", test)
}

func onServer(t *testing.T, kind string, test func(t *testing.T, fresh func() string)) {
	t.Run(kind, func(t *testing.T) {
		test(t, func() string { return storetest.FreshDSN(t, kind) })
	})
}

// run runs statements on a database.
func run(tb testing.TB, dsn string, statements ...string) {
	tb.Helper()
	err := with(context.Background(), dsn, func(db *core.DB) error {
		for _, s := range statements {
			if _, err := db.Conn().Exec(context.Background(), s, nil); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
}

// rows returns the rows of a query of one text column.
func rows(tb testing.TB, dsn, query string) (out []string) {
	tb.Helper()
	err := with(context.Background(), dsn, func(db *core.DB) error {
		var text store.Null[string]
		return db.Conn().Query(context.Background(), query, nil, []any{&text}, func() error {
			if !text.Valid {
				text.V = "NULL"
			}
			out = append(out, text.V)
			return nil
		})
	})
	if err != nil {
		tb.Fatal(err)
	}
	return out
}
