package migrate

import (
	"encoding/json"

	"github.com/hegner123/modulagen/gen/migrate/protocol"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/migrate"
)

// Listed returns the migrations as modulagen-migrate is sent them.
func (c *Chain) Listed() []protocol.Migration {
	var out []protocol.Migration
	for _, m := range c.Migrations {
		tables, err := json.Marshal(m.Tables)
		if err != nil {
			panic(err) // strings by strings
		}
		listed := protocol.Migration{Name: m.Name, Parent: m.Parent, Tables: tables}
		for i, db := range model.Databases {
			listed.SQL[i] = m.SQL[db] // empty: it has none
		}
		out = append(out, listed)
	}
	return out
}

// Set returns the migrations as generated code would have them.
func (c *Chain) Set() *migrate.Set { return protocol.Set(c.Listed()) }
