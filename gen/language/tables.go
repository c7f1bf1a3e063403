package language

import (
	"slices"

	"github.com/hegner123/modulagen/gen/fieldtype"
	"github.com/hegner123/modulagen/runtime/store/check"
)

// Values of keys in several tables, those of behaviors among them.
var (
	// NameValue is the name of a datatype, a field or a kind.
	NameValue = &Value{Form: Text, Pattern: NamePattern, Name: "a name in snake case: a-z, 0-9 and _, starting with a letter", Max: MaxName}
	// ColumnValue is a field to sort by, with its direction.
	ColumnValue = &Value{Form: Text, Pattern: `^[a-z][a-z0-9_]*( +(asc|desc))?$`, Name: `a field, or a field and "desc"`, Max: MaxName + 10}
	// GoNameValue is a name that Go code has.
	GoNameValue = &Value{Form: Text, Pattern: `^[A-Z][A-Za-z0-9_]*$`, Name: "an exported Go name, such as BlogPost", Max: 64}
	// OptionValue is one of the values of a select.
	OptionValue = &Value{Form: Text, Max: MaxOption}
	// DurationValue is a span of time.
	DurationValue = &Value{Form: Duration}
)

// Shorthands of the tables.
var (
	boolean = &Value{Form: Bool}
	label   = &Value{Form: Text, Max: MaxLabel}
	help    = &Value{Form: Text, Max: MaxHelp}
	goType  = &Value{Form: Text, Pattern: `^([A-Za-z0-9_.~-]+/)*[A-Za-z0-9_.~-]+\.[A-Z][A-Za-z0-9_]*$`, Name: "a Go type with its import path, such as example.com/shop/types.Price", Max: 255}
	folder  = &Value{Form: Text, Pattern: `^[A-Za-z0-9_-][A-Za-z0-9_.-]*(/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*$`, Name: "a folder within the project, with slashes, such as internal/data", Max: 200}
	length  = &Value{Form: Int, Min: 0}
	number  = &Value{Form: Number}
	float   = &Value{Form: Float}

	database = &Value{Form: Text, Choices: []string{"sqlite", "postgres", "mysql"}}
)

// Configuration returns the mapping that modulagen.yaml holds, with the keys of behaviors.
func Configuration(keys []Key) *Mapping {
	m := *project
	m.Keys = slices.Concat(m.Keys, keys)
	return &m
}

var project = &Mapping{
	Name: "the configuration",
	Help: "Where modulagen reads definitions and writes code.",
	Keys: []Key{
		{Name: "datatypes", Help: "the folder of the definitions; datatypes unless given", Value: folder},
		{Name: "queries", Help: "the folder of your own SQL queries; queries unless given", Value: folder},
		{Name: "output", Help: "the folder of the generated package; generated unless given", Value: folder},
		{Name: "package", Help: "the generated package's name; the last part of output unless given", Value: &Value{Form: Text, Pattern: `^[a-z][a-z0-9_]*$`, Name: "a Go package name, such as data", Max: 64}},
		{Name: "databases", Help: "the databases that the project targets; all three unless given", Value: &Value{Form: List, Min: 1, Max: 3, Of: database}},
		{Name: "workers", Help: "the folder of the program's handlers, to which scaffold adds; workers unless given", Value: folder},
		{Name: "migrations", Help: "the folder of the migrations; migrations unless given", Value: folder},
		{Name: "drop", Help: "datatypes that were removed on purpose: their tables and rows are deleted", Value: &Value{Form: List, Min: 1, Max: MaxDatatypes, Of: NameValue}},
	},
}

// Definition returns the mapping that a definition file holds, with a key for the
// section of each behavior.
func Definition(sections []Key) *Mapping {
	m := *datatype
	m.Keys = slices.Concat(m.Keys, sections, later)
	return &m
}

var datatype = &Mapping{
	Name:  "datatype",
	Help:  "A datatype: one table, its row type in Go and its methods.",
	Meant: changes,
	Keys: []Key{
		{Name: "name", Help: "the table's name, in snake case", Value: NameValue, Needed: true},
		{Name: "was", Help: "its name before: the table is renamed and keeps its rows", Value: NameValue},
		{Name: "label", Help: "what people call it; made from the name unless given", Value: label},
		{Name: "description", Help: "what it is for; becomes the Go type's documentation", Value: &Value{Form: Text, Max: MaxDescription}},
		{Name: "route", Help: "the slug under which operators find it", Value: &Value{Form: Text, Pattern: `^[a-z0-9]+(-[a-z0-9]+)*$`, Name: "a slug: a-z, 0-9 and single hyphens", Max: 100}},
		{Name: "go_name", Help: "the row type's name in Go, when the one made from name does not please", Value: GoNameValue},
		{Name: "id", Help: "integer: given by the database (the default); ulid: 26 characters that sort by time", Value: &Value{Form: Text, Choices: []string{"integer", "ulid"}}},
		{Name: "storage", Help: "where rows are kept; table is the only one in this version", Value: &Value{Form: Text, Choices: []string{"table"}}},
		{Name: "fields", Help: "the columns, without the id, which every datatype has", Needed: true, Value: &Value{Form: List, Min: 1, Max: MaxFields, Of: &Value{Form: Section, Keys: Field}}},
		{Name: "indexes", Help: "what is searched, sorted or unique by several fields", Value: &Value{Form: List, Max: MaxIndexes, Of: &Value{Form: Section, Keys: Index}}},
		{Name: "drop", Help: "fields that were removed on purpose: their columns and what these hold are deleted", Value: &Value{Form: List, Min: 1, Max: MaxFields, Of: NameValue}},
	},
}

// changes are what other tools call the keys that say what becomes of data.
var changes = map[string]string{
	"renamed_from": "was", "previous_name": "was", "old_name": "was", "formerly": "was", "moved_from": "was",
}

// later are sections that are known, and not built in this version.
var later = []Key{
	{Name: "tree", Later: true},
	{Name: "audit", Later: true},
}

// Field is one entry of a datatype's fields.
var Field = &Mapping{
	Name:  "field",
	Help:  "A field: one column.",
	Meant: changes,
	Keys: []Key{
		{Name: "name", Help: "the column's name, in snake case", Value: NameValue, Needed: true},
		{Name: "type", Help: "what it holds", Value: &Value{Form: Text, Choices: typeNames(fieldtype.Writable())}, Needed: true},
		{Name: "label", Help: "what people call it; made from the name unless given", Value: label},
		{Name: "help", Help: "one or two sentences for whoever fills it in", Value: help},
		{Name: "go_name", Help: "its name in Go, when the one made from name does not please", Value: GoNameValue},
		{Name: "required", Help: "must be given, and not empty", Value: boolean},
		{Name: "unique", Help: "no two rows have the same value", Value: boolean},
		{Name: "secret", Help: "never shown in errors, logs or pages", Value: boolean},
		{Name: "default", Help: "what it holds when a writer does not say", Value: &Value{Form: Any}},
		{Name: "min", Help: "the least: a value for numbers, characters for text, bytes for json and bytes", Value: number},
		{Name: "max", Help: "the most: a value for numbers, characters for text, bytes for json and bytes", Value: number},
		{Name: "pattern", Help: "a regular expression (RE2) that finds a match in the text; anchor it with ^ and $", Value: &Value{Form: Text, Max: check.MaxPattern}},
		{Name: "options", Help: "the values of a select", Value: &Value{Form: List, Min: 1, Max: MaxOptions, Of: option}},
		{Name: "scale", Help: "digits behind the point of a decimal; 2 unless given", Value: &Value{Form: Int, Min: 0, Max: check.MaxScale}},
		{Name: "validation", Help: "further rules, in ModulaCMS's form", Value: validation},
		{Name: "to", Help: "the datatype that a reference points to", Value: NameValue},
		{Name: "on_delete", Help: "what happens here when the row that is pointed to is deleted: restrict (refused, the default), cascade, set_null", Value: &Value{Form: Text, Choices: []string{"restrict", "cascade", "set_null"}}},
		{Name: "go_type", Help: "the Go type that a JSON document is decoded into, with its import path", Value: goType},
		{Name: "was", Help: "its name before: the column is renamed and keeps what it holds", Value: NameValue},
		{Name: "keep", Help: "with was: the column of the old name stays and is written as well, until a later migration removes it", Value: boolean},
		{Name: "existing", Help: "what becomes of rows that are there when the field is new and required, or its rules are narrower: refuse (the migration fails, the default), default, {value: ...} or {step: NAME}", Value: existing},
		{Name: "drop", Help: "members of the JSON object that were removed on purpose: documents keep them until their rows are written", Value: &Value{Form: List, Min: 1, Max: MaxMembers, Of: NameValue}},
		{Name: "fields", Help: "the members of a JSON object, which becomes a Go struct"}, // its Value: see init
	},
}

// Member is one field of a JSON object that no column holds: of a job's payload or an event's.
var Member = &Mapping{
	Name: "field",
	Help: "A member of a JSON object.",
	Keys: pick(Field, memberValues, memberKeys...),
}

// ColumnMember is one field of the JSON object of a json field, of which rows hold documents.
var ColumnMember = &Mapping{
	Name:  "field",
	Help:  "A member of the JSON object of a json field.",
	Meant: changes,
	Keys: slices.Concat(pick(Field, memberValues, memberKeys...), []Key{
		{Name: "was", Help: "its name before: documents of rows keep what the member holds", Value: NameValue},
	}),
}

var memberValues = map[string]*Value{
	"type":    {Form: Text, Choices: typeNames(memberTypes())},
	"options": {Form: List, Min: 1, Max: MaxOptions, Of: memberOption},
}

var memberKeys = []string{"name", "type", "label", "help", "go_name", "required", "secret", "min", "max", "pattern", "options", "scale", "validation", "go_type"}

var members = &Value{Form: List, Min: 1, Max: MaxMembers, Of: &Value{Form: Section, Keys: ColumnMember}}

var option = optionOf(&Mapping{
	Name:  "option",
	Help:  "One value of a select.",
	Meant: changes,
	Keys: slices.Concat(optionKeys, []Key{
		{Name: "was", Help: "its value before: rows that hold that one get this one", Value: OptionValue},
	}),
})

// memberOption is an option that no column holds: what JSON objects hold is not renamed.
var memberOption = optionOf(&Mapping{
	Name: "option of a JSON object",
	Help: "One value of a select in a JSON object.",
	Keys: optionKeys,
})

var optionKeys = []Key{
	{Name: "value", Help: "as it is stored", Value: OptionValue, Needed: true},
	{Name: "label", Help: "what people call it; made from the value unless given", Value: label},
	{Name: "go_name", Help: "the end of its constant's name in Go", Value: GoNameValue},
}

func optionOf(long *Mapping) *Value {
	return &Value{Form: Text, Max: MaxOption, Or: []Value{{Form: Section, Keys: long}}}
}

// existing is what becomes of the rows that are there when a field changes.
var existing = &Value{Form: Text, Choices: []string{"refuse", "default"}, Or: []Value{{Form: Section, Keys: &Mapping{
	Name: "the mapping of existing",
	Help: "What becomes of rows that are there.",
	Keys: []Key{
		{Name: "value", Help: "they get this value", Value: &Value{Form: Any}},
		{Name: "step", Help: "the data step of this name, registered in Go, writes them", Value: NameValue},
	},
	OneOf: []string{"value", "step"},
}}}}

// Index is one entry of a datatype's indexes.
var Index = &Mapping{
	Name: "index",
	Help: "An index over one or more fields.",
	Keys: []Key{
		{Name: "fields", Help: `the fields in order; "created_at desc" sorts downwards`, Needed: true, Value: &Value{Form: List, Min: 1, Max: MaxIndexFields, Of: ColumnValue}},
		{Name: "unique", Help: "no two rows have the same values", Value: boolean},
		{Name: "where", Help: "only rows that hold to this: a field and its value, a list of values, null, or {not: ...}, {lt: ...} and so on", Value: &Value{Form: Map, Min: 1, Max: 8, Of: conditionValue}},
		{Name: "name", Help: "its name in the database, when the one made from the fields does not please", Value: &Value{Form: Text, Pattern: NamePattern, Name: "a name in snake case: a-z, 0-9 and _, starting with a letter", Max: MaxIndexName}},
	},
}

// Condition is the long form of one entry of an index's where.
var Condition = &Mapping{
	Name: "condition",
	Help: "A comparison of a field with a value.",
	Keys: []Key{
		{Name: "not", Help: "is another value, or with null: is not null", Value: scalarOrNull()},
		{Name: "in", Help: "is one of several values", Value: &Value{Form: List, Min: 1, Max: MaxOptions, Of: scalar()}},
		{Name: "lt", Help: "is less than", Value: scalar()},
		{Name: "lte", Help: "is at most", Value: scalar()},
		{Name: "gt", Help: "is more than", Value: scalar()},
		{Name: "gte", Help: "is at least", Value: scalar()},
	},
}

var conditionValue = func() *Value {
	v := scalarOrNull()
	v.Or = append(v.Or,
		Value{Form: List, Min: 1, Max: MaxOptions, Of: scalar()},
		Value{Form: Section, Keys: Condition})
	return v
}()

func scalar() *Value {
	return &Value{Form: Text, Empty: true, Max: 255, Or: []Value{{Form: Bool}, {Form: Number}}}
}

func scalarOrNull() *Value {
	v := scalar()
	v.Or = append(v.Or, Value{Form: Null})
	return v
}

var validation = &Value{Form: Section, Keys: &Mapping{
	Name: "validation",
	Help: "Rules in ModulaCMS's form; all must hold.",
	Keys: []Key{{Name: "rules", Help: "rules and groups of rules", Needed: true, Value: &Value{Form: List, Max: check.MaxRules, Of: &Value{Form: Section, Keys: Entry}}}},
}}

// Entry is one entry of a list of validation rules.
var Entry = &Mapping{
	Name:  "entry",
	Help:  "A rule or a group of rules.",
	OneOf: []string{"rule", "group"},
	Keys:  []Key{{Name: "rule", Help: "one rule", Value: &Value{Form: Section, Keys: Rule}}, {Name: "group", Help: "rules that hold together"}},
}

// Group joins entries.
var Group = &Mapping{
	Name:  "group",
	Help:  "Rules of which all, or any one, must hold.",
	OneOf: []string{"all_of", "any_of"},
	Keys: []Key{
		{Name: "all_of", Help: "all of these must hold", Value: &Value{Form: List, Min: 1, Max: check.MaxRules, Of: &Value{Form: Section, Keys: Entry}}},
		{Name: "any_of", Help: "one of these must hold", Value: &Value{Form: List, Min: 1, Max: check.MaxRules, Of: &Value{Form: Section, Keys: Entry}}},
	},
}

func init() {
	// A field of a JSON object is picked from the keys of a field, so that it
	// cannot stand in their table.
	Field.Keys[len(Field.Keys)-1].Value = members
	// An entry may be a group, and a group has entries.
	Entry.Keys[1].Value = &Value{Form: Section, Keys: Group}
}

// Rule is one validation rule.
var Rule = &Mapping{
	Name: "rule",
	Help: "One rule.",
	Keys: []Key{
		{Name: "op", Help: "what is looked at", Needed: true, Value: &Value{Form: Text, Choices: opNames()}},
		{Name: "value", Help: "a text to look for", Value: &Value{Form: Text, Max: check.MaxText}},
		{Name: "values", Help: "the texts that one_of allows", Value: &Value{Form: List, Min: 1, Max: check.MaxRules, Of: &Value{Form: Text, Empty: true, Max: check.MaxText}}},
		{Name: "class", Help: "a class of characters to look for", Value: &Value{Form: Text, Choices: check.Classes}},
		{Name: "cmp", Help: "how to compare with n", Value: &Value{Form: Text, Choices: check.Cmps}},
		{Name: "n", Help: "the number to compare with", Value: number},
		{Name: "negate", Help: "must not", Value: boolean},
		{Name: "message", Help: "what to say when it fails", Value: &Value{Form: Text, Max: check.MaxText}},
	},
}

func opNames() []string {
	var out []string
	for _, op := range check.Ops {
		out = append(out, string(op))
	}
	return out
}

func typeNames(types []fieldtype.Type) []string {
	var out []string
	for _, t := range types {
		out = append(out, t.Name)
	}
	return out
}

// memberTypes are the types that a member of a JSON object may have.
func memberTypes() []fieldtype.Type {
	var out []fieldtype.Type
	for _, t := range fieldtype.Writable() {
		if t.Name != "reference" {
			out = append(out, t)
		}
	}
	return out
}

// pick returns some keys of a mapping, with other values where they are given.
func pick(from *Mapping, values map[string]*Value, names ...string) []Key {
	var out []Key
	for _, n := range names {
		k, ok := from.Key(n)
		if !ok {
			panic("language: no key " + n)
		}
		if v, ok := values[n]; ok {
			k.Value = v
		}
		out = append(out, k)
	}
	return out
}
