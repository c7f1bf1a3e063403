package gen

import (
	"context"
	"encoding/json"
	"io/fs"
	"path"
	"slices"

	"github.com/hegner123/modulagen/gen/golang"
	"github.com/hegner123/modulagen/gen/migrate"
	"github.com/hegner123/modulagen/gen/mistake"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/migrate/script"
)

// migrations reads what is recorded of earlier definitions.
func (r *run) migrations(context.Context) error {
	p := r.result.Project
	var chain *migrate.Chain
	err := r.reading(func(fsys fs.FS) (err error) {
		chain, err = migrate.Read(fsys, p.Config.Migrations, p.Databases())
		return err
	})
	if err != nil {
		return r.quoted(err)
	}
	var found mistake.List
	for _, m := range chain.Migrations {
		listed := model.Migration{Name: m.Name, Parent: m.Parent}
		for i, db := range model.Databases {
			if !slices.Contains(m.Databases(), db) {
				continue
			}
			_, err := m.Script(p.Config.Migrations, db)
			found = append(found, unreadable(err)...)
			listed.Checksums[i] = script.Checksum(m.SQL[db])
		}
		p.Migrations = append(p.Migrations, listed)
	}
	if err := found.Err(); err != nil {
		return r.quoted(err)
	}
	r.result.Migrations = chain
	return nil
}

// unreadable are the mistakes of a file of SQL that cannot be read as a migration's.
func unreadable(err error) mistake.List {
	switch e := err.(type) {
	case nil:
		return nil
	case *script.Mistake:
		return mistake.List{{
			File: e.File, Line: e.Line, Message: e.Message,
			Hint: "correct the line, or restore the file",
		}}
	case interface{ Unwrap() []error }:
		var out mistake.List
		for _, one := range e.Unwrap() {
			out = append(out, unreadable(one)...)
		}
		return out
	}
	return mistake.List{{Message: err.Error()}}
}

// migrationFiles adds the SQL of migrations to what is generated, and what their tables are.
func (r *run) migrationFiles(files map[string][]byte) error {
	for _, m := range r.result.Migrations.Migrations {
		folder := path.Join(golang.MigrationsFolder, m.Name)
		prints := map[model.Database]map[string]string{}
		for _, db := range m.Databases() {
			files[path.Join(folder, string(db)+".sql")], prints[db] = []byte(m.SQL[db]), m.Tables[db]
		}
		tables, err := json.MarshalIndent(prints, "", " ")
		if err != nil {
			return err
		}
		files[path.Join(folder, "tables.json")] = append(tables, '\n')
	}
	return nil
}

// Lacking returns the migrations that the definitions of a project lack, which are to be written
// and then generated; none where there is nothing to record.
func Lacking(ctx context.Context, opts Options, name string) ([]*migrate.Migration, *Result, error) {
	opts.ReadOnly, opts.Until = true, "migrations"
	result, err := Generate(ctx, opts)
	if err != nil {
		return nil, result, err
	}
	made, err := result.Migrations.Next(name, result.Project)
	if err != nil {
		return nil, result, Quote(opts.Dir, err)
	}
	return made, result, nil
}

// Unrecorded reports whether the definitions differ from what the last migration recorded; a
// project without migrations has nothing to record.
func (r *Result) Unrecorded() bool {
	return r.Migrations != nil && r.Migrations.Head() != nil && !r.Migrations.Records(r.Project)
}
