package load

import (
	"fmt"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/hegner123/modulagen/gen/goname"
	"github.com/hegner123/modulagen/gen/load/node"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/gen/near"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// Definition is a file that defines a datatype, on its way to the model.
type Definition struct {
	l        *loader
	f        *file
	Root     *yaml.Node
	Datatype *model.Datatype
	nodes    map[*model.Field]*yaml.Node
	names    map[*model.Index]*yaml.Node
	unique   map[*model.Index]bool // made from `unique: true`
}

// define reads one definition as far as it goes by itself.
func (l *loader) define(f *file) *Definition {
	n := f.root
	f.mapping(n, l.grammar, "the datatype", nil)
	name := node.Text(n, "name")
	d := &model.Datatype{
		Pos: f.pos(node.Or(node.Get(n, "name"), n)), Name: name, Label: node.Text(n, "label"), Description: node.Text(n, "description"),
		Route: node.Text(n, "route"), ID: model.IDInteger, GoPos: f.pos(node.Or(node.Get(n, "go_name"), node.Get(n, "name"), n)),
		Drop: f.dropped(n),
	}
	d.Was, d.WasPos = f.was(n)
	if d.Label == "" {
		d.Label = Label(name)
	}
	if node.Text(n, "id") == string(model.IDULID) {
		d.ID = model.IDULID
	}
	def := &Definition{l: l, f: f, Root: n, Datatype: d, nodes: map[*model.Field]*yaml.Node{}, names: map[*model.Index]*yaml.Node{}, unique: map[*model.Index]bool{}}
	def.goNames()
	def.tableName()
	def.fields()
	def.behaviorFields()
	def.indexes()
	def.readBehaviors()
	def.changes()
	return def
}

// goNames names the row and its accessor. A name that is singular already
// stands for both, and so does a go_name in its place.
func (def *Definition) goNames() {
	d := def.Datatype
	d.GoRow, d.GoAccessor = goname.Row(d.Name), goname.Exported(d.Name)
	if own := node.Text(def.Root, "go_name"); own != "" {
		if d.GoRow == d.GoAccessor {
			d.GoAccessor = own
		}
		d.GoRow = own
	}
}

// tableName refuses names that would have to be quoted in every statement that
// anyone ever writes about the table.
func (def *Definition) tableName() {
	at, name := node.Get(def.Root, "name"), def.Datatype.Name
	switch {
	case at == nil || name == "":
	case sqltext.Reserved(name), name == "value": // MariaDB reads INSERT INTO value (...) as INSERT VALUES
		def.f.wrong(at, fmt.Sprintf("%s is a reserved word of SQL", name), fmt.Sprintf("choose another name, such as %s_item or my_%s", name, name))
	case strings.HasPrefix(name, "sqlite_"), strings.HasPrefix(name, "pg_"):
		def.f.wrong(at, fmt.Sprintf("names that start with %s belong to the database", name[:strings.Index(name, "_")+1]), "choose another name")
	}
}

// Label makes a label of a name: "fetch_requests" is "Fetch Requests".
func Label(name string) string {
	words := strings.FieldsFunc(name, func(r rune) bool { return r == '_' })
	for i, w := range words {
		if g := goname.Exported(w); g != "" && g != goname.Exported(w[:1])+w[1:] {
			words[i] = g // an initialism
			continue
		}
		words[i] = strings.ToUpper(w[:1]) + w[1:]
	}
	return strings.Join(words, " ")
}

// sentenceCase makes a label of a field's name: "body_html" is "Body HTML".
func sentenceCase(name string) string {
	words := strings.Fields(Label(name))
	for i, w := range words {
		if i > 0 && len(w) > 1 && w[1:] == strings.ToLower(w[1:]) {
			words[i] = strings.ToLower(w)
		}
	}
	return strings.Join(words, " ")
}

// systemColumns are names that a database has for itself.
var systemColumns = map[string]string{
	"ctid": "PostgreSQL", "xmin": "PostgreSQL", "xmax": "PostgreSQL", "cmin": "PostgreSQL", "cmax": "PostgreSQL",
	"tableoid": "PostgreSQL", "oid": "SQLite", "rowid": "SQLite", "_rowid_": "SQLite",
}

func (def *Definition) fields() {
	seen := map[string]*yaml.Node{}
	for _, n := range node.Items(def.Root, "fields") {
		if n.Kind != yaml.MappingNode {
			continue
		}
		field := def.field(n)
		at := node.Or(node.Get(n, "name"), n)
		switch owner, system := systemColumns[strings.ToLower(field.Name)]; {
		case field.Name == "":
			continue
		case field.Name == "id":
			def.f.wrong(at, "every datatype has an id already", "remove the field; id: ulid on the datatype changes its kind")
			continue
		case system:
			def.f.wrong(at, fmt.Sprintf("%s is a column that %s has for itself", field.Name, owner), "choose another name")
		case seen[field.Name] != nil:
			def.f.wrong(at, fmt.Sprintf("field %s is declared twice", field.Name), fmt.Sprintf("the first is on line %d", seen[field.Name].Line))
			continue
		}
		seen[field.Name] = at
		def.nodes[field] = n
		def.Datatype.Fields = append(def.Datatype.Fields, field)
	}
}

// Find looks a field up that another part of the definition names.
func (def *Definition) Find(at *yaml.Node, name string) *model.Field {
	known := make([]string, len(def.Datatype.Fields))
	for i, f := range def.Datatype.Fields {
		if f.Name == name {
			return f
		}
		known[i] = f.Name
	}
	hint := ""
	if renamed := def.Datatype.Renamed(name); renamed != nil {
		hint = model.RenameHint(name, renamed.Name)
	} else if meant := near.Word(name, known); meant != "" {
		hint = fmt.Sprintf("write %q", meant)
	} else if len(known) > 0 && len(known) <= 20 {
		hint = "its fields are " + strings.Join(known, ", ")
	}
	if name == "id" {
		def.f.wrong(at, "id cannot be named here", "every row is found and sorted by its id already")
		return nil
	}
	def.f.wrong(at, fmt.Sprintf("%s has no field %q", def.Datatype.Name, name), hint)
	return nil
}
