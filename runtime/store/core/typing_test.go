package core_test

import (
	"reflect"
	"testing"

	"github.com/hegner123/modulagen/generated"
	"github.com/hegner123/modulagen/runtime/store"
)

// A filter or a sort of one datatype is not assignable to another's: reflect
// answers as the compiler does.
func TestFiltersAreOfOneDatatype(t *testing.T) {
	own := map[string]reflect.Type{}
	for name, table := range generatedTables() {
		where := method(t, table, "Count").Type.In(2)
		for other, of := range own {
			if where.ConvertibleTo(of) {
				t.Errorf("a filter of %s converts to one of %s", name, other)
			}
		}
		own[name] = where
	}
	columns := reflect.ValueOf(generated.JobQueueFields)
	for i := range columns.NumField() {
		column := columns.Field(i)
		for _, op := range []string{"Eq", "IsNull"} {
			f := column.FieldByName(op)
			if !f.IsValid() { // a document is not compared
				continue
			}
			for name, where := range own {
				if is := f.Type().Out(0).AssignableTo(where); is != (name == "JobQueue") {
					t.Errorf("JobQueueFields.%s.%s as a filter of %s: %v", columns.Type().Field(i).Name, op, name, is)
				}
			}
		}
	}
	if reflect.TypeFor[store.Order[generated.JobQueueID]]().ConvertibleTo(reflect.TypeFor[generated.CronJobSort]()) {
		t.Error("a sort of job_queue is one of cron_job")
	}
}

// What is generic and has methods is compiled anew for every datatype, in every
// package that names it. A table has no method of the core's that takes a key by
// its number.
func TestDatatypesInstantiateNoMethods(t *testing.T) {
	columns := reflect.ValueOf(&generated.JobQueueFields).Elem()
	for i := range columns.NumField() {
		if at := columns.Field(i).Addr(); at.NumMethod() > 0 {
			t.Errorf("%s has methods", at.Type())
		}
	}
	for _, of := range []reflect.Type{
		reflect.TypeFor[*generated.JobQueueQuery](), reflect.TypeFor[*generated.JobQueueFilter](),
		reflect.TypeFor[*generated.JobQueueSort](), reflect.TypeFor[*generated.JobQueuePage](),
	} {
		if of.NumMethod() > 0 {
			t.Errorf("%s has methods", of)
		}
	}
	for name, table := range generatedTables() {
		for _, hidden := range []string{"GetUnique", "UpsertUnique"} {
			if _, ok := table.MethodByName(hidden); ok {
				t.Errorf("%s has %s", name, hidden)
			}
		}
		if n := table.Elem().NumField(); n != 1 || table.Elem().Field(0).IsExported() {
			t.Errorf("%s has fields that show", name)
		}
	}
}

// generatedTables returns the types of the built-ins' tables, as pointers.
func generatedTables() map[string]reflect.Type {
	out := map[string]reflect.Type{}
	tables := reflect.TypeFor[generated.Tables]()
	for i := range tables.NumField() {
		out[tables.Field(i).Name] = reflect.PointerTo(tables.Field(i).Type)
	}
	return out
}

func method(t *testing.T, of reflect.Type, name string) reflect.Method {
	t.Helper()
	m, ok := of.MethodByName(name)
	if !ok {
		t.Fatalf("%s has no method %s", of, name)
	}
	return m
}
