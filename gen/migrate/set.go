package migrate

import (
	"encoding/json"
	"path"
	"testing/fstest"

	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/migrate"
	"github.com/hegner123/modulagen/runtime/store/migrate/script"
)

// Set returns the migrations as generated code would have them.
func (c *Chain) Set() *migrate.Set {
	files := fstest.MapFS{}
	s := &migrate.Set{Files: files, Folder: "."}
	for _, m := range c.Migrations {
		one := migrate.Migration{Name: m.Name, Parent: m.Parent}
		for i, db := range model.Databases {
			files[path.Join(m.Name, string(db)+".sql")] = &fstest.MapFile{Data: []byte(m.SQL[db])}
			one.Checksums[i] = script.Checksum(m.SQL[db])
		}
		tables, err := json.Marshal(m.Tables)
		if err != nil {
			panic(err) // strings by strings
		}
		files[path.Join(m.Name, "tables.json")] = &fstest.MapFile{Data: tables}
		s.List = append(s.List, one)
	}
	return s
}
