package gen

import (
	"fmt"
	"go/token"
	"strings"

	"github.com/hegner123/modulagen/gen/fieldtype"
	"github.com/hegner123/modulagen/gen/model"
)

// Explanation is what a definition turns into.
type Explanation struct {
	Name        string         `json:"name"`
	Label       string         `json:"label"`
	Description string         `json:"description,omitempty"`
	Definition  string         `json:"definition"` // file:line
	Go          []string       `json:"go"`         // the names that generated code declares
	Fields      []FieldNote    `json:"fields"`
	Indexes     []IndexNote    `json:"indexes"`
	Operations  []Operation    `json:"operations"`
	SQL         []DatabaseNote `json:"sql"`
}

// FieldNote is one column.
type FieldNote struct {
	Name   string `json:"name"`
	Type   string `json:"type"`
	Go     string `json:"go"`
	GoType string `json:"go_type"`
	Null   bool   `json:"null"`
	By     string `json:"by"` // "definition", or "behavior" for a field that one added
}

// IndexNote is one index.
type IndexNote struct {
	Name    string   `json:"name"`
	Columns []string `json:"columns"` // "priority desc"
	Unique  bool     `json:"unique"`
}

// Operation is one thing that can be done to the rows.
type Operation struct {
	Name string   `json:"name"`
	Kind string   `json:"kind"`
	Key  []string `json:"key,omitempty"`
}

// DatabaseNote is a datatype in one database's SQL.
type DatabaseNote struct {
	Database model.Database `json:"database"`
	DDL      string         `json:"ddl"`
	Queries  []QueryNote    `json:"queries"`
}

// QueryNote is one query.
type QueryNote struct {
	Name    string `json:"name"`
	Command string `json:"command"`
	Text    string `json:"text"`
}

// Explain returns what one datatype of a result turned into. The result needs
// the stages up to dialect.
func Explain(r *Result, name string) (*Explanation, error) {
	var names []string
	for _, d := range r.Project.Datatypes {
		if d.Name == name {
			return explain(r, d), nil
		}
		names = append(names, d.Name)
	}
	return nil, fmt.Errorf("gen: there is no datatype %q; there are %s", name, strings.Join(names, ", "))
}

func explain(r *Result, d *model.Datatype) *Explanation {
	e := &Explanation{
		Name: d.Name, Label: d.Label, Description: d.Description,
		Definition: fmt.Sprintf("%s:%d", d.Pos.File, d.Pos.Line),
		Go:         goNames(r.Project, d),
		Indexes:    []IndexNote{}, Operations: []Operation{},
	}
	for _, f := range append([]*model.Field{d.IDField()}, d.Fields...) {
		e.Fields = append(e.Fields, fieldNote(d, f))
	}
	for _, i := range d.Indexes {
		e.Indexes = append(e.Indexes, IndexNote{Name: i.Name, Columns: columns(i), Unique: i.Unique})
	}
	for _, o := range d.Operations {
		n := Operation{Name: o.Name, Kind: string(o.Kind)}
		if o.Key != nil {
			n.Key = columns(o.Key)
		}
		e.Operations = append(e.Operations, n)
	}
	for _, db := range r.Project.Databases() {
		e.SQL = append(e.SQL, databaseNote(r, d, db))
	}
	return e
}

// goNames returns the accessor of a datatype, if it has one, and the exported names
// of its Go.
func goNames(p *model.Project, d *model.Datatype) []string {
	var out []string
	if d.AddedFor == "" {
		out = append(out, "db."+d.GoAccessor)
	}
	for _, n := range p.Names {
		if n.Owner == d && n.Space == model.SpaceGo && token.IsExported(n.Text) {
			out = append(out, n.Text)
		}
	}
	return out
}

func fieldNote(d *model.Datatype, f *model.Field) FieldNote {
	n := FieldNote{Name: f.Name, Type: f.Type, Go: f.GoName, Null: !f.NotNull, By: "definition"}
	if f.Added {
		n.By = "behavior"
	}
	switch t, _ := fieldtype.Lookup(f.Type); {
	case f.Name == "id":
		n.GoType = d.GoRow + "ID"
	case f.References != nil:
		n.GoType = f.References.GoRow + "ID"
	case f.EnumGoName != "":
		n.GoType = f.EnumGoName
	case f.JSONGoName != "":
		n.GoType = f.JSONGoName
	case f.GoType != "":
		n.GoType = f.GoType
	default:
		n.GoType = t.Go
	}
	return n
}

func columns(i *model.Index) []string {
	var out []string
	for _, c := range i.Columns {
		name := c.Field.Name
		if c.Desc {
			name += " desc"
		}
		out = append(out, name)
	}
	return out
}

func databaseNote(r *Result, d *model.Datatype, db model.Database) DatabaseNote {
	n := DatabaseNote{Database: db, Queries: []QueryNote{}}
	for _, t := range r.SQL.Databases[db].Tables {
		if t.Datatype != d {
			continue
		}
		n.DDL = t.DDL
		for _, q := range t.Queries {
			n.Queries = append(n.Queries, QueryNote{q.Name, q.Command, q.Text})
		}
	}
	return n
}
