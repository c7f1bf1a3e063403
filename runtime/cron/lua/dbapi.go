package lua

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	vm "github.com/yuin/gopher-lua"

	"github.com/hegner123/modulagen/runtime/cron/project"
	"github.com/hegner123/modulagen/runtime/event/document"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// errNoDatabase is what a trial without a project answers.
var errNoDatabase = errors.New("a trial has no database: the plugin is run by the program that has the project's generated code")

// datatype is a datatype as one plugin may use it.
type datatype struct {
	*project.Datatype
	m     *machine
	write bool
}

// datatypeFunctions is db.NAME.
func (m *machine) datatypeFunctions(L *vm.LState, name string) vm.LValue {
	access, ok := m.plugin.manifest.datatypes[name]
	if !ok {
		L.RaiseError("%s permits no datatype %q%s", m.plugin.manifestName(), printable(name), meant(name, slices.Collect(maps.Keys(m.plugin.manifest.datatypes))))
	}
	d := &datatype{m: m, write: access == accessWrite}
	if m.host.project != nil {
		if d.Datatype = m.host.project.Datatype(name); d.Datatype == nil {
			L.RaiseError("db: the project has no datatype %q", printable(name))
		}
	}
	functions := map[string]func(L *vm.LState) (int, error){
		"get": d.get, "list": d.list, "count": d.count, "create": d.writing(d.create), "update": d.writing(d.update),
		"delete": d.writing(d.delete), "move": d.writing(d.move),
	}
	known := slices.Collect(maps.Keys(functions))
	return m.named(func(L *vm.LState, field string) vm.LValue {
		fn, ok := functions[field]
		if !ok {
			L.RaiseError("db.%s has no function %q%s", name, printable(field), meant(field, known))
		}
		return L.NewFunction(func(L *vm.LState) int {
			m.called()
			n, err := 0, errNoDatabase
			if d.Datatype != nil {
				n, err = fn(L)
			}
			m.failed(L, "db."+name+"."+field, err)
			return n
		})
	})
}

// failed raises the error of something outside of the plugin, unless the run has ended.
func (m *machine) failed(L *vm.LState, call string, err error) {
	if err == nil {
		return
	}
	if m.ctx.Err() != nil {
		m.ended()
		m.check()
	}
	text := cut(strings.TrimPrefix(err.Error(), "store: "), maxError)
	m.text(len(text) + len(call))
	L.RaiseError("%s: %s", call, text)
}

func (d *datatype) writing(fn func(L *vm.LState) (int, error)) func(L *vm.LState) (int, error) {
	return func(L *vm.LState) (int, error) {
		if !d.write {
			return 0, fmt.Errorf("%s permits reading %s alone; to write, it needs %s: write", d.m.plugin.manifestName(), d.Name, d.Name)
		}
		return fn(L)
	}
}

func (d *datatype) rows() core.Table { return core.Bind(d.m.host.project.DB.Conn(), d.Rows) }

// id is the id in an argument.
func (d *datatype) id(L *vm.LState, n int) (any, error) {
	if d.Rows.ID == core.IDULID {
		s, ok := L.Get(n).(vm.LString)
		if !ok {
			return nil, wrongType(&d.Rows.Columns[0], L.Get(n), "a string")
		}
		return string(s), nil
	}
	return integer(&d.Rows.Columns[0], L.Get(n))
}

// push pushes a row.
func (d *datatype) push(L *vm.LState, row any) (int, error) {
	t, err := d.table(row)
	if err != nil {
		return 0, err
	}
	L.Push(t)
	return 1, nil
}

func (d *datatype) table(row any) (*vm.LTable, error) {
	text, err := document.Of(row)
	if err != nil {
		return nil, err
	}
	return d.m.rowTable(d.Rows, text)
}

func (d *datatype) get(L *vm.LState) (int, error) {
	id, err := d.id(L, 1)
	if err != nil {
		return 0, err
	}
	row := d.Rows.Row()
	switch err := d.rows().Get(d.m.ctx, id, row); {
	case errors.Is(err, store.ErrNotFound):
		L.Push(vm.LNil)
		return 1, nil
	case err != nil:
		return 0, err
	}
	return d.push(L, row)
}

// list returns rows, and the cursor of the next page if there is one.
func (d *datatype) list(L *vm.LState) (int, error) {
	q, err := d.query(L)
	if err != nil {
		return 0, err
	}
	rows := reflect.New(reflect.SliceOf(reflect.TypeOf(d.Rows.Row()).Elem()))
	next, err := d.rows().List(d.m.ctx, core.QueryOf(q), rows.Interface())
	if err != nil {
		return 0, err
	}
	n := rows.Elem().Len()
	out := d.m.table(n, 0)
	out.Metatable = d.m.array
	for i := range n {
		t, err := d.table(rows.Elem().Index(i).Addr().Interface())
		if err != nil {
			return 0, err
		}
		out.RawSetInt(i+1, t)
	}
	L.Push(out)
	if next == "" {
		return 1, nil
	}
	d.m.text(len(next))
	L.Push(vm.LString(next))
	return 2, nil
}

func (d *datatype) count(L *vm.LState) (int, error) {
	q, err := d.query(L)
	if err != nil {
		return 0, err
	}
	n, err := d.rows().Count(d.m.ctx, core.AnyCond{Filter: q.Where.Filter}, 0)
	L.Push(vm.LNumber(n))
	return 1, err
}

func (d *datatype) create(L *vm.LState) (int, error) {
	if d.New == nil {
		return 0, errors.New("rows of it are not created by plugins")
	}
	n := d.New()
	if err := d.filled(L, 1, n, true); err != nil {
		return 0, err
	}
	row := d.Rows.Row()
	if err := d.rows().Create(d.m.ctx, n, row); err != nil {
		return 0, err
	}
	return d.push(L, row)
}

func (d *datatype) update(L *vm.LState) (int, error) {
	if d.Patch == nil {
		return 0, errors.New("rows of it are not changed by plugins")
	}
	id, err := d.id(L, 1)
	if err != nil {
		return 0, err
	}
	p := d.Patch()
	if err := d.filled(L, 2, p, false); err != nil {
		return 0, err
	}
	row := d.Rows.Row()
	if err := d.rows().Update(d.m.ctx, id, p, row); err != nil {
		return 0, err
	}
	return d.push(L, row)
}

// delete returns whether there was the row.
func (d *datatype) delete(L *vm.LState) (int, error) {
	id, err := d.id(L, 1)
	if err != nil {
		return 0, err
	}
	err = d.rows().Delete(d.m.ctx, id)
	missing := errors.Is(err, store.ErrNotFound)
	if missing {
		err = nil
	}
	L.Push(vm.LBool(!missing))
	return 1, err
}

// move moves a row to another state of its workflow.
func (d *datatype) move(L *vm.LState) (int, error) {
	if d.Rows.Workflow == nil {
		return 0, errors.New("it has no workflow")
	}
	id, err := d.id(L, 1)
	if err != nil {
		return 0, err
	}
	row := d.Rows.Row()
	if err := d.rows().Move(d.m.ctx, id, L.CheckString(2), row); err != nil {
		return 0, err
	}
	return d.push(L, row)
}

// filled sets the fields of a new row or a patch, whose JSON has the names of columns, to those
// of a table.
func (d *datatype) filled(L *vm.LState, n int, into any, whole bool) error {
	t, ok := L.Get(n).(*vm.LTable)
	if !ok {
		return fmt.Errorf("argument %d is a %s, and must be a table of fields", n, L.Get(n).Type())
	}
	settable, required := jsonFields(into)
	fields := map[string]json.RawMessage{}
	var wrong error
	t.ForEach(func(k, v vm.LValue) {
		if wrong != nil {
			return
		}
		name, _ := k.(vm.LString)
		fields[string(name)], wrong = d.field(string(name), v, settable)
	})
	if wrong != nil {
		return wrong
	}
	for _, name := range required {
		if _, ok := fields[name]; whole && !ok {
			return fmt.Errorf("%s is missing", name)
		}
	}
	text, err := json.Marshal(fields)
	if err != nil {
		return err
	}
	return core.JSONFault(json.Unmarshal(text, into))
}

// field is a field's value as JSON. A secret may be written, and not read.
func (d *datatype) field(name string, v vm.LValue, settable []string) (json.RawMessage, error) {
	i := slices.IndexFunc(d.Rows.Columns, func(c core.Column) bool { return c.Name == name })
	if i < 0 {
		return nil, fmt.Errorf("%s has no field %q%s", d.Name, printable(name), meant(name, settable))
	}
	if !slices.Contains(settable, name) {
		return nil, fmt.Errorf("%s cannot be set: it is kept by the database, or by a function of its own", name)
	}
	return d.m.raw(&d.Rows.Columns[i], v)
}

// jsonFields returns the fields of a new row or a patch by their names in JSON, and those that
// have no default.
func jsonFields(of any) (all, required []string) {
	for _, f := range reflect.VisibleFields(reflect.TypeOf(of).Elem()) {
		name, rest, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" || name == "-" {
			continue
		}
		all = append(all, name)
		if !strings.Contains(rest, "omit") {
			required = append(required, name)
		}
	}
	return all, required
}
