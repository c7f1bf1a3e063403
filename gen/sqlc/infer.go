package sqlc

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hegner123/modulagen/gen/fieldtype"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/check"
)

// column finds the type of the i-th column.
func (r *reconciler) column(i int) (UserValue, bool) {
	cols := map[model.Database]Column{}
	out := UserValue{Name: strings.ToLower(r.analysed[r.v.first().db].Columns[i].Name)}
	for _, db := range r.v.databases() {
		c := r.analysed[db].Columns[i]
		if strings.HasSuffix(c.Type, arrayMark) { // sqlc has "anyarray" for max(x) of any type
			r.arrayColumn(out.Name)
			return out, false
		}
		cols[db] = c
		out.Null = out.Null || !c.NotNull
	}
	found, sure := r.expressionType(out.Name)
	if d, ok := findDeclared(r.v, out.Name, func(w *written) []declared { return w.columns }); ok {
		out.Type, out.Scale, out.Null = d.typ, d.scale, d.null
		return out, r.mayDeclare(d, found, sure)
	}
	if !r.computed(out.Name) && r.fieldOf(&out, cols[model.Postgres], cols[model.SQLite], cols[model.MySQL]) {
		return out, true
	}
	if sure && found.Type == fraction {
		r.mistakeAtColumn(out.Name, "add a line below the query's name that says how many digits it has, or that it is a float: "+forms(out.Name, &model.Field{Scale: 2}),
			"no database tells the type of the column %s of the query %s: it is a fraction", out.Name, r.v.name)
		return out, false
	}
	if sure && found.known() {
		found.Name = out.Name
		return found, true
	}
	out.Null = out.Null || r.computed(out.Name) // what is not understood may be null
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
// counts, the others may not contradict it, and where it has none the others
// must agree.
func (r *reconciler) expression(v *UserValue, cols map[model.Database]Column) bool {
	types := map[model.Database]string{}
	for db, c := range cols {
		if types[db] = fieldtype.OfColumn(c.Type); types[db] == float {
			types[db] = "" // sqlc's word for many an expression that is none
		}
	}
	pg := types[model.Postgres]
	if pg == "" {
		delete(types, model.Postgres)
		if others := slices.Compact(slices.Sorted(maps.Values(types))); len(others) == 1 {
			pg = others[0]
		}
	}
	if number := r.decimals(v.Name); number != nil && pg != "boolean" || pg == "" || pg == "decimal" {
		r.mistakeAtColumn(v.Name, "add a line below the query's name that says it: "+forms(v.Name, number), "no database tells the type of the column %s of the query %s", v.Name, r.v.name)
		return false
	}
	for _, db := range []model.Database{model.SQLite, model.MySQL} {
		if contradicts(pg, types[db]) {
			r.mistakeAtColumn(v.Name, "CAST it to the one that is meant, or add a line: -- column: "+v.Name+" "+pg,
				"the column %s of the query %s is not the same on all databases (%s)", v.Name, r.v.name, reported(cols))
			return false
		}
	}
	v.Type = pg
	return true
}

// forms shows how a column's type may be declared, the likeliest first.
func forms(name string, decimal *model.Field) string {
	types := []string{"number", "decimal(2)", float, "datetime", "boolean", "textarea"}
	if decimal != nil {
		types = []string{fmt.Sprintf("decimal(%d)", decimal.Scale), float, "number", "datetime", "boolean", "textarea"}
	}
	return fmt.Sprintf("-- column: %s %s null (or %s; null where it may be)", name, types[0], strings.Join(types[1:], ", "))
}

// expressionType finds a column's type from its expression; the versions of a
// query must agree.
func (r *reconciler) expressionType(name string) (UserValue, bool) {
	var out UserValue
	for i, w := range r.v.written() {
		v := w.outputType(name)
		if v.Type == "" || v.Type == null || v.Type == argument || i > 0 && (v.Type != out.Type || v.Scale != out.Scale || v.Field != out.Field) {
			return out, false
		}
		v.Null = v.Null || out.Null
		out = v
	}
	return out, true
}

// computed reports whether a column is more than a column of a table. Of such a
// one sqlc knows better whether an outer join may make it null.
func (r *reconciler) computed(name string) bool {
	n := r.v.first().query.output(name)
	return n != nil && n.op != "column"
}

// mayDeclare refuses a type that would read the value wrong.
func (r *reconciler) mayDeclare(d declared, found UserValue, sure bool) bool {
	w := r.v.first().query
	if sure && found.Type == fraction {
		if d.typ == "decimal" || d.typ == float {
			return true
		}
		r.mistakeAtDeclared(d, fmt.Sprintf("write -- column: %s decimal(2) null, with as many digits as it shall have, or %[1]s float null; without null where it cannot be", d.name),
			"the column %s of the query %s is a fraction", d.name, w.name)
		return false
	}
	if sure {
		stored := fieldtype.MustLookup(d.typ).Kind
		if stored == found.kind() && (stored != check.Decimal || d.scale == found.Scale) || found.Type == float && d.typ == "decimal" {
			return true
		}
		r.mistakeAtDeclared(d, "leave this line out", "the column %s of the query %s is of type %s", d.name, w.name, typeText(found.Type, found.Scale))
		return false
	}
	if f := r.decimals(d.name); f != nil && (d.typ == "number" || d.typ == float) {
		r.mistakeAtDeclared(d, fmt.Sprintf("write -- column: %s decimal(%d) null; without null where it cannot be", d.name, f.Scale),
			"the column %s of the query %s is made of the decimal %s, which is no %s", d.name, w.name, f.Name, d.typ)
		return false
	}
	return true
}

func typeText(name string, scale int) string {
	if name == "decimal" {
		return fmt.Sprintf("decimal(%d)", scale)
	}
	return name
}

// decimals returns a decimal column that a column of the result is made of.
func (r *reconciler) decimals(name string) *model.Field {
	for _, w := range r.v.written() {
		if f := w.decimals(name); f != nil {
			return f
		}
	}
	return nil
}

// mistakeAtColumn points to where the query makes a column.
func (r *reconciler) mistakeAtColumn(name, hint, format string, args ...any) {
	w := r.v.first().query
	at := w.at
	if e, ok := newScope(w, r.datatypes).itemNamed(name); ok {
		at = e.at
	}
	w.file.mistake(at, hint, format, args...)
}

func (r *reconciler) mistakeAtDeclared(d declared, hint, format string, args ...any) {
	for _, w := range r.v.written() {
		if slices.Contains(w.columns, d) {
			w.file.mistake(d.at, hint, format, args...)
			return
		}
	}
}

func reported(cols map[model.Database]Column) string {
	var out []string
	for _, db := range slices.DeleteFunc(slices.Clone(model.Databases), func(db model.Database) bool { return cols[db].Type == "" }) {
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
	array, ok := r.arrayed(name)
	if !ok {
		return UserValue{Name: name}, false
	}
	v, ok := r.oneParam(name)
	if !ok || !array {
		return v, ok
	}
	return r.arrayOf(v)
}

// oneParam is param for one value; of an array, for each of its values.
func (r *reconciler) oneParam(name string) (UserValue, bool) {
	out := UserValue{Name: name}
	var cols []Column
	for _, db := range []model.Database{model.Postgres, model.SQLite, model.MySQL} {
		if r.v.of[db] == nil {
			continue
		}
		r.eachUse(db, name, func(u use, c Column, known bool) {
			out.Null, out.List = out.Null || u.null, out.List || u.list
			if known {
				cols = append(cols, c.element())
			}
		})
	}
	if d, ok := findDeclared(r.v, name, func(w *written) []declared { return w.params }); ok {
		out.Type, out.Scale = d.typ, d.scale
		out.Null = out.Null || d.null
		return out, true
	}
	if v, ok := r.v.first().query.met(name, len(cols) > 0); ok {
		v.Name, v.Null, v.List = name, out.Null, out.List
		return v, true
	}
	field := out
	if ok, settled := r.paramField(&field, cols); settled && !(field.kind() == check.JSON && r.besideCall(name)) {
		return field, ok
	}
	for _, c := range cols {
		if t := fieldtype.OfColumn(c.Type); t != "" && t != "decimal" && t != float && !(t == "json" && r.besideCall(name)) {
			out.Type = t
			return out, true
		}
	}
	if v, ok := r.compared(name); ok {
		out.Type, out.Scale = v.Type, v.Scale
		return out, true
	}
	r.mistakeAtUse(name, "add a line below the query's name that says it: -- param: "+name+" number (or text, decimal(2), float, datetime, boolean)", "the type of the parameter %s is not known", name)
	return out, false
}

// eachUse calls fn with each place of a parameter in the query for a database, and with the column that sqlc says it
// meets there: nothing where a literal was put in its place.
func (r *reconciler) eachUse(db model.Database, name string, fn func(u use, c Column, known bool)) {
	placed := 0
	for _, u := range r.v.of[db].uses {
		var c Column
		known := false
		if u.mark == "" {
			c, known = placeholderColumn(db, r.analysed[db], placed)
			placed++
		}
		if u.name == name {
			fn(u, c, known)
		}
	}
}

// compared finds the type of a parameter that is compared with a function's
// value, as in HAVING sum(price) > @least.
func (r *reconciler) compared(name string) (UserValue, bool) {
	for _, u := range r.v.first().uses {
		s := newScope(r.v.first().query, r.datatypes)
		i := slices.IndexFunc(s.code, func(t token) bool { return t.at == u.at })
		if u.name != name {
			continue
		}
		end := i
		for i > 0 && s.code[i-1].kind == other && strings.Contains("=<>!", s.code[i-1].text) {
			i--
		}
		open := s.opening(i - 1)
		if i == end || !s.is(i-1, ")") || open < 1 {
			continue
		}
		if s.word(open-1) == "count" {
			return UserValue{Type: "number"}, true
		}
		if v, ok := s.expressionType(span{open - 1, i}); ok {
			return UserValue{Type: plain(v.Type), Scale: v.Scale}, true
		}
	}
	return UserValue{}, false
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

// sameGo reports whether two fields have the same Go type.
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

// placeholderColumn returns what is known about the i-th placeholder. MySQL's have
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
