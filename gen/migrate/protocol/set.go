package protocol

import (
	"testing/fstest"

	"github.com/hegner123/modulagen/runtime/store/migrate"
	"github.com/hegner123/modulagen/runtime/store/migrate/script"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// Set returns migrations as the runtime takes them: as generated code would embed them.
func Set(all []Migration) *migrate.Set {
	files := fstest.MapFS{}
	s := &migrate.Set{Files: files, Folder: "."}
	for _, m := range all {
		entry := migrate.Migration{Name: m.Name, Parent: m.Parent}
		for d, sql := range m.SQL {
			if sql == "" {
				continue
			}
			files[m.Name+"/"+sqltext.Dialect(d).String()+".sql"] = &fstest.MapFile{Data: []byte(sql)}
			entry.Checksums[d] = script.Checksum(sql)
		}
		files[m.Name+"/tables.json"] = &fstest.MapFile{Data: m.Tables}
		s.List = append(s.List, entry)
	}
	return s
}
