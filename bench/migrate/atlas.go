package migrate

import (
	"context"
	"errors"
	"slices"
	"strings"

	"ariga.io/atlas/schemahcl"
	"ariga.io/atlas/sql/migrate"
	atlasmysql "ariga.io/atlas/sql/mysql"
	"ariga.io/atlas/sql/postgres"
	"ariga.io/atlas/sql/schema"
	"ariga.io/atlas/sql/sqlite"

	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/store/migrate/script"
)

// peerName is who plans from the same two schemas.
const peerName = "atlas v1.3.0"

// The peer is set up as its manual advises: both schemas are read from a database of the same
// version, and so are compared as normalized (which has expressions of checks compared too);
// indexes are built and dropped concurrently on PostgreSQL (the policy concurrent_index); names of
// the schema are left out of the statements, as the plan is for one. What its command asks a
// person, whether a column or an index that goes is one that comes under another name, is
// answered from the definitions.
var peerDiff = []schema.DiffOption{schema.DiffNormalized(), func(o *schema.DiffOptions) {
	o.Extra = schemahcl.DefaultExtension{Extra: schemahcl.Resource{Children: []*schemahcl.Resource{{
		Type: "concurrent_index", Attrs: []*schemahcl.Attr{schemahcl.BoolAttr("create", true), schemahcl.BoolAttr("drop", true)},
	}}}}
}}

func peerPlan(o *migrate.PlanOptions) {
	none := ""
	o.SchemaQualifier, o.Indent = &none, "  "
}

// peerSteps returns the peer's plan of a change. Each of its statements is a step of its own.
func peerSteps(ctx context.Context, s *server, renames []rename, before, after *core.Schema) (steps []script.Step, err error) {
	var schemas [2]*schema.Schema
	var driver migrate.Driver
	for i, tables := range []*core.Schema{before, after} {
		d, err := s.fresh(ctx)
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, d.drop()) }()
		if err := d.create(ctx, tables); err != nil {
			return nil, err
		}
		if driver, err = openPeer(s.db, d); err != nil {
			return nil, err
		}
		if schemas[i], err = driver.InspectSchema(ctx, "", nil); err != nil {
			return nil, err
		}
	}
	schemas[1].Name = schemas[0].Name
	changes := renameColumns(schemas[0], renames)
	rest, err := driver.SchemaDiff(schemas[0], schemas[1], peerDiff...)
	if err != nil {
		return nil, err
	}
	for _, c := range rest {
		if m, ok := c.(*schema.ModifyTable); ok && s.db != model.SQLite { // which renames no index
			m.Changes = droppedChecks(s.db, renameIndexes(m.Changes))
		}
	}
	return peerPlanned(ctx, driver, append(changes, rest))
}

// peerPlanned plans changes: those of each list together, one list after the other.
func peerPlanned(ctx context.Context, driver migrate.Driver, lists [][]schema.Change) (steps []script.Step, err error) {
	for _, list := range lists {
		plan, err := driver.PlanChanges(ctx, "change", list, peerPlan)
		if err != nil {
			return nil, err
		}
		for _, c := range plan.Changes {
			text := strings.TrimSpace(c.Cmd)
			steps = append(steps, script.Step{Alone: strings.Contains(text, "CONCURRENTLY"), Statements: []script.Statement{{SQL: text}}})
		}
	}
	return steps, nil
}

func openPeer(db model.Database, d *database) (migrate.Driver, error) {
	switch db {
	case model.SQLite:
		return sqlite.Open(d)
	case model.Postgres:
		return postgres.Open(d)
	}
	return atlasmysql.Open(d)
}

// renameColumns renames columns of the schema of before, and returns the changes that do so, each
// to be planned by itself. Those that change places go by way of a third name.
func renameColumns(s *schema.Schema, renames []rename) [][]schema.Change {
	t, ok := s.Table("article")
	if !ok {
		return nil
	}
	var moves []rename
	taken := func(name string) bool {
		_, ok := t.Column(name)
		return ok && slices.ContainsFunc(renames, func(r rename) bool { return r.from == name })
	}
	if len(renames) > 0 && taken(renames[0].to) {
		moves = append(moves, rename{renames[0].from, "for_a_moment"})
		moves = append(moves, renames[1:]...)
		moves = append(moves, rename{"for_a_moment", renames[0].to})
	} else {
		moves = renames
	}
	var out [][]schema.Change
	for _, m := range moves {
		c, ok := t.Column(m.from)
		if !ok {
			continue
		}
		from, to := *c, *c
		to.Name = m.to
		c.Name = m.to
		out = append(out, []schema.Change{&schema.ModifyTable{T: t, Changes: []schema.Change{&schema.RenameColumn{From: &from, To: &to}}}})
	}
	return out
}

// renameIndexes puts a rename in place of an index that goes and one over the same columns that
// comes.
func renameIndexes(changes []schema.Change) []schema.Change {
	var out []schema.Change
	gone := map[*schema.Index]bool{}
	for _, c := range changes {
		if add, ok := c.(*schema.AddIndex); ok {
			if old := sameIndex(changes, add.I); old != nil && !gone[old] {
				gone[old] = true
				c = &schema.RenameIndex{From: old, To: add.I}
			}
		}
		out = append(out, c)
	}
	return slices.DeleteFunc(out, func(c schema.Change) bool {
		d, ok := c.(*schema.DropIndex)
		return ok && gone[d.I]
	})
}

// droppedChecks has a check that changes dropped and added: what the peer writes for one that is
// modified is DROP CHECK, which MariaDB does not have.
func droppedChecks(db model.Database, changes []schema.Change) (out []schema.Change) {
	for _, c := range changes {
		if m, ok := c.(*schema.ModifyCheck); ok && db == model.MySQL {
			out = append(out, &schema.DropCheck{C: m.From}, &schema.AddCheck{C: m.To})
			continue
		}
		out = append(out, c)
	}
	return out
}

func sameIndex(changes []schema.Change, x *schema.Index) *schema.Index {
	for _, c := range changes {
		d, ok := c.(*schema.DropIndex)
		if ok && d.I.Unique == x.Unique && slices.EqualFunc(d.I.Parts, x.Parts, func(a, b *schema.IndexPart) bool {
			return a.C != nil && b.C != nil && a.C.Name == b.C.Name && a.Desc == b.Desc
		}) {
			return d.I
		}
	}
	return nil
}
