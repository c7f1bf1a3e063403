package names

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hegner123/modulagen/gen/goname"
	"github.com/hegner123/modulagen/gen/model"
)

// fixed returns the names that every generated package has.
func fixed() []model.Name {
	var out []model.Name
	add := func(space, what string, texts ...string) {
		for _, text := range texts {
			out = append(out, model.Name{Space: space, Text: text, What: what})
		}
	}
	add(model.SpaceGo, "every generated package has",
		"DB", "Tx", "Tables", "Open", "Options", "TxOptions", "Queries", "Workers", "EventHandlers", "Schema", // Schema is kept for a later version
		"bind", "opened", "schema", "sqliteSchema", "postgresSchema", "mysqlSchema", "migrations", "migrationFiles")
	// An accessor is a field of DB and of Tx, and would be hidden by their own members.
	// Those that only some behavior prints are kept too: a project that comes to have
	// one must not have to rename what it has.
	add(model.Members("DB"), "every database has",
		"Tables", "Queries", "Tx", "TxWith", "Close", "Store", "Conn", "Migrate", "Run", "Drain", "Subscribe", "Unsubscribe", "Now", "store", "conn")
	add(model.Members("Workers"), "every project has", "queues")
	add(model.Members("Queries"), "every project has", "conn")
	add(model.Members("EventHandlers"), "every project has", "topics")
	return out
}

// rowTypes are what is declared for each datatype, by the ends of their names.
var rowTypes = []struct{ suffix, what string }{
	{"", "the row"},
	{"ID", "the id"},
	{"New", "the new row"},
	{"Patch", "the patch"},
	{"Fields", "the fields"},
	{"Table", "the table"},
	{"Query", "the query"},
	{"Filter", "the filter"},
	{"Sort", "the sort order"},
	{"Page", "the page"},
}

// ofTable are the methods that every table has.
var ofTable = []string{
	"Conn", "Get", "GetForUpdate", "Create", "CreateMany", "Update", "UpdateIf", "UpdateWhere", "Delete", "DeleteWhere", "List", "ListForUpdate", "All", "First", "Count", "Exists", "core",
}

// row returns the names that follow from a datatype's own.
func row(d *model.Datatype) []model.Name {
	base := model.Name{Space: model.SpaceGo, Pos: d.GoPos, Owner: d, Added: d.AddedFor != "", Hint: "give it another go_name"}
	var out []model.Name
	add := func(text, what string) {
		n := base
		n.Text, n.What = text, what
		out = append(out, n)
	}
	if d.AddedFor != "" {
		add(d.GoRow+"ID", "the id of "+called(d))
		add(goname.Unexported(d.GoRow)+"TableDef", "the code of "+called(d))
		return out
	}
	for _, t := range rowTypes {
		add(d.GoRow+t.suffix, t.what+" of "+called(d))
	}
	for _, suffix := range []string{"Spec", "TableDef", "Fields", "New", "Patch"} {
		add(goname.Unexported(d.GoRow)+suffix, "the code of "+called(d))
	}
	base.Hint = "choose another name"
	if d.GoAccessor != d.GoRow { // it follows from the name, whatever go_name is
		base.Pos = d.Pos
	}
	base.Space = model.Members("DB")
	add(d.GoAccessor, "the accessor of "+called(d))
	base.Space = model.Members(d.GoRow + "Table")
	for _, method := range ofTable {
		add(method, "the method of every table")
	}
	return append(out, ownFields(d)...)
}

// ownFields returns what only generated code sets: a member of a new row and of a patch,
// of a type of its own.
func ownFields(d *model.Datatype) []model.Name {
	var out []model.Name
	n := model.Name{Pos: d.GoPos, Owner: d, Added: true, What: "the code of " + called(d), Hint: "give it another go_name"}
	add := func(space, text string) {
		n.Space, n.Text = space, text
		out = append(out, n)
	}
	own := goname.Unexported(d.GoRow) + "Own"
	for _, f := range d.Fields {
		if f.Own {
			add(model.Members(own), f.GoName)
		}
	}
	if len(out) > 0 {
		add(model.SpaceGo, own)
		add(model.Members(d.GoRow+"New"), "own")
		add(model.Members(d.GoRow+"Patch"), "own")
	}
	return out
}

// called names a datatype in a sentence.
func called(d *model.Datatype) string {
	if d.AddedFor != "" {
		return d.Name + " (added for " + d.AddedFor + ")"
	}
	return d.Name
}

// fieldTypes returns the types that fields bring with them.
func fieldTypes(d *model.Datatype, owner string, fields []*model.Field) []model.Name {
	var out []model.Name
	for _, f := range fields {
		base := model.Name{Space: model.SpaceGo, Pos: f.GoPos, Owner: d, Added: f.Added, Hint: "give the field a go_name"}
		add := func(text, what string) {
			n := base
			n.Text, n.What = text, what
			out = append(out, n)
		}
		if f.EnumGoName != "" {
			add(f.EnumGoName, "the values of "+owner+"."+f.Name)
			add(f.EnumGoName+"Values", "the list of values of "+owner+"."+f.Name)
			base.Hint = "write the option as {value: ..., go_name: ...}"
			for _, o := range f.Options {
				add(o.GoName, fmt.Sprintf("option %q of %s.%s", o.Value, owner, f.Name))
			}
			base.Hint = "give the field a go_name"
		}
		if f.JSONGoName != "" {
			add(f.JSONGoName, "the struct of "+owner+"."+f.Name)
			out = append(out, Struct(d, f.JSONGoName, f.JSONFields)...)
			out = append(out, fieldTypes(d, owner+"."+f.Name, f.JSONFields)...)
		}
	}
	return out
}

// Payload returns the names of a struct whose fields a person has declared, and
// of their types: owner is what has it, for people.
func Payload(d *model.Datatype, goType, owner string, fields []*model.Field) []model.Name {
	return append(fieldTypes(d, owner, fields), Struct(d, goType, fields)...)
}

// structs returns the members of a datatype's row, new row, patch and columns.
func structs(d *model.Datatype) []model.Name {
	if d.AddedFor != "" {
		return nil
	}
	id := model.Name{Text: "ID", What: "the id", Pos: d.Pos, Owner: d, Added: true}
	var out []model.Name
	for _, suffix := range []string{"", "Fields"} {
		id.Space = model.Members(d.GoRow + suffix)
		out = append(out, id)
	}
	for _, suffix := range []string{"", "New", "Patch", "Fields"} {
		out = append(out, Struct(d, d.GoRow+suffix, d.Fields)...)
	}
	return out
}

// Struct returns the members of a Go struct: its fields, and the methods by which
// it keeps secrets to itself where it has some.
func Struct(d *model.Datatype, goType string, fields []*model.Field) []model.Name {
	var out []model.Name
	if slices.ContainsFunc(fields, (*model.Field).Hidden) {
		for _, method := range model.SecretMethods {
			out = append(out, model.Name{
				Space: model.Members(goType), Text: method, What: "the method of everything that has a secret field",
				Pos: d.Pos, Owner: d, Added: true,
			})
		}
	}
	for _, f := range fields {
		if strings.Trim(f.Name, "_") == "" {
			continue // the loader has reported it
		}
		what := "field " + f.Name
		if f.Added {
			what = "the column that a section of this datatype adds"
		}
		out = append(out, model.Name{
			Space: model.Members(goType), Text: f.GoName, What: what,
			Pos: f.GoPos, Owner: d, Added: f.Added, Hint: "rename one, or give it a go_name",
		})
	}
	return out
}

// keys returns the methods that find and add rows by their unique keys.
func keys(d *model.Datatype) []model.Name {
	var out []model.Name
	if d.AddedFor != "" {
		return nil
	}
	for _, key := range d.Keys() {
		for _, method := range []string{"GetBy", "UpsertBy"} {
			out = append(out, model.Name{
				Space: model.Members(d.GoRow + "Table"), Text: method + key.GoName, What: "the method of the unique key " + key.Name,
				Pos: key.NamePos, Owner: d, Hint: "give one of its fields a go_name",
			})
		}
	}
	return out
}
