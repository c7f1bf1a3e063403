package migrate

import (
	"slices"

	"github.com/hegner123/modulagen/gen/dialect"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// Schema returns the tables of datatypes as generated code has them, for comparison with a database. Behaviors
// must have been applied.
func Schema(all []*model.Datatype) *core.Schema {
	s := &core.Schema{}
	for _, db := range model.Databases {
		s.DDL[dialects[db]] = dialect.CreateTables(all, db)
	}
	for _, d := range all {
		s.Tables = append(s.Tables, tableDef(d))
	}
	return s
}

func tableDef(d *model.Datatype) core.TableDef {
	t := core.TableDef{Name: d.Name}
	columns := d.Columns()
	for _, f := range columns {
		t.Columns = append(t.Columns, core.Column{Name: f.Name, Rules: f.Rules, Null: !f.NotNull, Types: f.ColumnTypes().Reported()})
	}
	for _, x := range d.Indexes {
		index := core.Index{Name: x.Name, Unique: x.Unique, Partial: len(x.Where) > 0}
		for _, c := range x.Columns {
			index.Columns = append(index.Columns, slices.IndexFunc(columns, func(f *model.Field) bool { return f.Name == c.Field.Name }))
			index.Desc = append(index.Desc, c.Desc)
		}
		t.Indexes = append(t.Indexes, index)
		if x.Unique && len(x.Where) > 0 {
			t.Generated = append(t.Generated, core.Column{Name: x.WhenColumn(), Null: true, Types: [3]string{"", "", "tinyint(1)"}})
		}
	}
	return t
}

// fingerprints describes the tables of datatypes on one database, so that a database that was made
// by hand, or is older than migrations, is recognised.
func fingerprints(all []*model.Datatype, db model.Database) map[string]string {
	s := Schema(all)
	for i, d := range all {
		for j, c := range dialect.Describe(d, db).Columns[:len(s.Tables[i].Columns)] { // generated ones are last
			s.Tables[i].Columns[j].Null = !c.NotNull
		}
	}
	out := map[string]string{}
	for _, t := range core.Expected(dialects[db], s) {
		out[t.Name] = core.Fingerprint(dialects[db], t)
	}
	return out
}
