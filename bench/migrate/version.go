package migrate

import (
	"context"
	"errors"
	"fmt"
	"slices"

	evolution "github.com/hegner123/modulagen/gen/migrate"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/store/migrate"
	_ "github.com/hegner123/modulagen/runtime/store/mysql"
	_ "github.com/hegner123/modulagen/runtime/store/postgres"
	_ "github.com/hegner123/modulagen/runtime/store/sqlite"
)

// version is a change with what programs of both versions have of it.
type version struct {
	before, after *migrate.Set
	old, now      *core.Schema
	statements    []string // of the change on SQLite
}

// versions makes the migrations of one of the changes.
func versions(name string) (*version, error) {
	i := slices.IndexFunc(changes, func(c change) bool { return c.name == name })
	if i < 0 {
		return nil, fmt.Errorf("bench: there is no change %q", name)
	}
	return versionsOf(changes[i])
}

func versionsOf(c change) (*version, error) {
	before, after, err := c.projects()
	if err != nil {
		return nil, err
	}
	chain := &evolution.Chain{}
	if chain.Migrations, err = chain.Next("init", before); err != nil {
		return nil, err
	}
	v := &version{before: chain.Set(), old: evolution.Schema(before.Datatypes), now: evolution.Schema(after.Datatypes)}
	next, err := chain.Next("change", after)
	if err != nil {
		return nil, err
	}
	chain.Migrations = append(chain.Migrations, next...)
	v.after = chain.Set()
	s, err := next[0].Script("", model.SQLite)
	if err != nil {
		return nil, err
	}
	for _, step := range s.Steps {
		for _, statement := range step.Statements {
			v.statements = append(v.statements, statement.SQL)
		}
	}
	return v, nil
}

// up applies the change to a database.
func (v *version) up(ctx context.Context, dsn string) error {
	return with(ctx, dsn, func(db *core.DB) error {
		b, _ := core.Below(db)
		r, err := v.after.Up(ctx, b, v.now, options)
		if err == nil && !slices.Contains(r.Applied, "0002_change") {
			err = errors.New("bench: nothing was applied")
		}
		return err
	})
}

// fill makes the database of before, with rows, and returns how many.
func fill(ctx context.Context, dsn string, v *version, rows int) (n int, err error) {
	err = with(ctx, dsn, func(db *core.DB) error {
		b, _ := core.Below(db)
		if _, err := v.before.Up(ctx, b, v.old, options); err != nil {
			return err
		}
		if _, err := db.Conn().Exec(ctx, "INSERT INTO author (id, name) VALUES (1, 'a')", nil); err != nil {
			return err
		}
		n, err = grow(ctx, db, rows)
		return err
	})
	return n, err
}

// insert is a row of article; double adds as many as there are.
const (
	insert = "INSERT INTO article (title, body, views, price, status, author) VALUES ('a title of some length', 'a body', 7, 150, 'draft', 1)"
	double = "INSERT INTO article (title, body, views, price, status, author) SELECT title, body, views + 1, price, status, author FROM article"
)

// grow adds at least so many rows to article, a power of two, and returns how many there are.
func grow(ctx context.Context, db *core.DB, rows int) (int, error) {
	_, err := db.Conn().Exec(ctx, insert, nil)
	n := 1
	for ; err == nil && n < rows; n *= 2 {
		_, err = db.Conn().Exec(ctx, double, nil)
	}
	return n, err
}

// with opens a database, as it is.
func with(ctx context.Context, dsn string, run func(db *core.DB) error) (err error) {
	db, err := core.Open(ctx, dsn, nil, store.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return run(db)
}
