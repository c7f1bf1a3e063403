package sqlc

import (
	"fmt"
	"strings"

	"github.com/hegner123/modulagen/gen/fieldtype"
	"github.com/hegner123/modulagen/gen/model"
)

// column finds the type of the i-th column.
func (r *reconciler) column(i int) (UserValue, bool) {
	cols := map[model.Database]Column{}
	out := UserValue{Name: strings.ToLower(r.analysed[model.Postgres].Columns[i].Name)}
	for _, db := range model.Databases {
		c := r.analysed[db].Columns[i]
		cols[db] = c
		out.Null = out.Null || !c.NotNull
	}
	if d, ok := findDeclared(r.v, out.Name, func(w *written) []declared { return w.columns }); ok {
		out.Type, out.Scale, out.Null = d.typ, d.scale, d.null
		return out, true
	}
	if r.fieldOf(&out, cols[model.Postgres], cols[model.SQLite], cols[model.MySQL]) {
		return out, true
	}
	return out, r.expression(&out, cols)
}

// fieldOf sets a value to the field of the first column that stands in a table.
func (r *reconciler) fieldOf(v *UserValue, cols ...Column) bool {
	for _, c := range cols {
		d, f := r.field(c)
		if f == nil {
			continue
		}
		v.Datatype, v.Field, v.Type, v.Scale = d, f, f.Type, f.Scale
		return true
	}
	return false
}

func (r *reconciler) field(c Column) (*model.Datatype, *model.Field) {
	d := r.datatypes[strings.ToLower(c.Table)]
	if d == nil {
		return nil, nil
	}
	name := strings.ToLower(c.Original)
	if name == "" {
		name = strings.ToLower(c.Name)
	}
	if name == "id" {
		return d, d.IDField()
	}
	for _, f := range d.Fields {
		if f.Name == name {
			return d, f
		}
	}
	return nil, nil
}

// expression finds the type of a column that no table has: PostgreSQL's word
// counts, the others may not contradict it, and where it has none the other two
// must agree.
func (r *reconciler) expression(v *UserValue, cols map[model.Database]Column) bool {
	types := map[model.Database]string{}
	for db, c := range cols {
		types[db] = fieldtype.OfColumn(c.Type)
	}
	pg, lite, my := types[model.Postgres], types[model.SQLite], types[model.MySQL]
	if pg == "" && lite == my {
		pg = lite
	}
	if cols[model.Postgres].Type == "int" && r.namesDecimal() {
		pg = "decimal" // sqlc calls all arithmetic int
	}
	if pg == "" || pg == "decimal" {
		r.mistake(model.Postgres, fmt.Sprintf("add a line below the query's name, with its field type: -- column: %s %s", v.Name, example(pg)),
			"the type of the column %s of the query %s is not known (%s)", v.Name, r.v.name, reported(cols))
		return false
	}
	for _, db := range []model.Database{model.SQLite, model.MySQL} {
		if contradicts(pg, types[db]) {
			r.mistake(model.Postgres, "CAST it to the one that is meant, or add a line: -- column: "+v.Name+" "+pg,
				"the column %s of the query %s is not the same on all databases (%s)", v.Name, r.v.name, reported(cols))
			return false
		}
	}
	v.Type = pg
	return true
}

func example(pg string) string {
	if pg == "decimal" {
		return "decimal(2)"
	}
	return "number null"
}

// namesDecimal tells whether a decimal field is named anywhere in the query.
func (r *reconciler) namesDecimal() bool {
	named := map[string]bool{}
	for w := range words(r.v.first().text) {
		named[w] = true
	}
	for _, d := range r.datatypes {
		for _, f := range d.Fields {
			if named[d.Name] && f.Type == "decimal" && named[f.Name] {
				return true
			}
		}
	}
	return false
}

func reported(cols map[model.Database]Column) string {
	var out []string
	for _, db := range model.Databases {
		out = append(out, fmt.Sprintf("%s: %s", db, strings.TrimPrefix(cols[db].Type, "pg_catalog.")))
	}
	return strings.Join(out, ", ")
}

// contradicts tells a number from a text. Other differences are ways of keeping
// the same thing: a time is text on SQLite, a boolean a number.
func contradicts(a, b string) bool {
	number := func(t string) bool { return t == "number" || t == "boolean" }
	text := func(t string) bool { return t == "textarea" }
	return number(a) && text(b) || text(a) && number(b)
}

// param finds the type of a parameter: of the columns that it is compared with
// or written to, wherever it stands.
func (r *reconciler) param(name string) (UserValue, bool) {
	out := UserValue{Name: name}
	var cols []Column
	for _, db := range []model.Database{model.Postgres, model.SQLite, model.MySQL} {
		for i, u := range r.v.of[db].uses {
			if u.name != name {
				continue
			}
			out.Null = out.Null || u.null
			if c, ok := placeholderColumn(db, r.analysed[db], i); ok {
				cols = append(cols, c)
			}
		}
	}
	if d, ok := findDeclared(r.v, name, func(w *written) []declared { return w.params }); ok {
		out.Type, out.Scale = d.typ, d.scale
		out.Null = out.Null || d.null
		return out, true
	}
	if ok, settled := r.paramField(&out, cols); settled {
		return out, ok
	}
	for _, c := range cols {
		if t := fieldtype.OfColumn(c.Type); t != "" && t != "decimal" {
			out.Type = t
			return out, true
		}
	}
	r.mistakeAtUse(name, "add a line below the query's name, with its field type: -- param: "+name+" text", "the type of the parameter %s is not known", name)
	return out, false
}

// paramField types a parameter by the fields that it meets. Fields of one kind
// make it that kind; of two kinds, a mistake.
func (r *reconciler) paramField(v *UserValue, cols []Column) (ok, settled bool) {
	for _, c := range cols {
		d, f := r.field(c)
		if f == nil {
			continue
		}
		if v.Type == "" {
			v.Datatype, v.Field, v.Type, v.Scale = d, f, f.Type, f.Scale
			continue
		}
		if v.Datatype == d && v.Field != nil && v.Field.Name == f.Name {
			continue
		}
		if fieldtype.MustLookup(v.Type).Kind != fieldtype.MustLookup(f.Type).Kind {
			r.mistakeAtUse(v.Name, "use two parameters", "the parameter %s stands for a %s and for a %s", v.Name, v.Type, f.Type)
			return false, true
		}
		if v.Field != nil && sameGo(v.Field, f) {
			continue
		}
		v.Datatype, v.Field = nil, nil
		if v.Type != f.Type {
			v.Type = plain(v.Type)
		}
	}
	return true, v.Type != ""
}

// sameGo tells whether two fields have the same Go type.
func sameGo(a, b *model.Field) bool {
	return a.Type == b.Type && a.References == b.References && a.EnumGoName == b.EnumGoName && a.GoType == b.GoType && a.Scale == b.Scale &&
		a.Type != "id" && a.Type != "ulid" && a.JSONGoName == b.JSONGoName
}

// plain is the type without meaning of its own that holds a type's values.
func plain(t string) string {
	switch t {
	case "text", "textarea", "richtext", "select", "email", "url", "slug", "ulid":
		return "textarea"
	case "id", "reference":
		return "number"
	}
	return t
}

func (r *reconciler) mistakeAtUse(name, hint, format string, args ...any) {
	w := r.v.first()
	for _, u := range w.uses {
		if u.name == name {
			w.query.file.mistake(u.at, hint, format, args...)
			return
		}
	}
}

// placeholderColumn gives what is known about the i-th placeholder. MySQL's have
// no numbers, and sqlc counts those in an IN wrongly, but keeps their order.
func placeholderColumn(db model.Database, a *Analysed, i int) (Column, bool) {
	if db == model.MySQL {
		if i < len(a.Params) {
			return a.Params[i].Column, true
		}
		return Column{}, false
	}
	for _, p := range a.Params {
		if p.Number == i+1 {
			return p.Column, true
		}
	}
	return Column{}, false
}
