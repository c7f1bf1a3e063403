// Package model is the vocabulary of the generator: datatypes, fields, indexes,
// operations and queries as plain data. It decides nothing; the stages do.
//
//	load      YAML       -> Project
//	behavior  Project    -> Project in which every behavior is plain fields, indexes and operations
//	dialect   Project    -> SQL text for each database
//	sqlc      SQL text   -> analysed queries
//	golang    all of it  -> Go
package model

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

	"github.com/hegner123/modulagen/gen/fieldtype"
	"github.com/hegner123/modulagen/runtime/store/check"
)

// Database names one of the three databases.
type Database string

// The databases, in the order in which everything lists them.
const (
	SQLite   Database = "sqlite"
	Postgres Database = "postgres"
	MySQL    Database = "mysql"
)

// Databases is every database, in order.
var Databases = []Database{SQLite, Postgres, MySQL}

// List joins databases for a sentence: "sqlite", "sqlite and mysql", "sqlite, postgres and mysql".
func List(all []Database) string {
	names := make([]string, len(all))
	for i, db := range all {
		names[i] = string(db)
	}
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " and " + names[last]
}

// Pos is a place in a file that a person wrote.
type Pos struct {
	File   string
	Line   int // from 1; 0 when unknown
	Column int // from 1
}

// Project is everything that one run of the generator reads.
type Project struct {
	Config    Config
	Datatypes []*Datatype // sorted by name
	Queries   []*UserFile // the user's queries/*.sql, sorted by name

	Migrations []Migration // in order; none where the project has no folder of them

	Names []Name // everything that is printed or created under a name; see gen/names
}

// Databases returns the databases that the project targets, in the order of the variable Databases.
func (p *Project) Databases() []Database {
	if len(p.Config.Databases) == 0 {
		return Databases
	}
	return p.Config.Databases
}

// Targets reports whether the project targets a database.
func (p *Project) Targets(db Database) bool { return slices.Contains(p.Databases(), db) }

// Config is modulagen.yaml.
type Config struct {
	// Databases are those that the project targets, in the order of the variable Databases;
	// none where the configuration does not name them: all. Project.Databases returns them.
	Databases []Database

	Datatypes string // folder of the definitions, relative to the project; default "datatypes"
	Queries   string // folder of the user's queries; default "queries"
	Output    string // folder of the generated package; default "generated"
	Package   string // its Go name; default the last element of Output

	Workers    string    // folder of the program's handlers; default "workers"
	Migrations string    // folder of the migrations; default "migrations"
	Drop       []Dropped // datatypes that were removed on purpose
}

// UserFile is one file of the user's own queries, as written.
type UserFile struct {
	Path      string     // relative to the project, with slashes
	Text      string     // its content
	Databases []Database // x.sql: all that the project targets; x.postgres.sql: one
}

// IDKind is how rows of a datatype are identified.
type IDKind string

// The kinds of id.
const (
	IDInteger IDKind = "integer" // given by the database, growing
	IDULID    IDKind = "ulid"    // given by the writer, 26 characters, sorts by time
)

// Datatype is one definition: a table, its row type and its accessor.
type Datatype struct {
	Pos         Pos
	Name        string // as written, and the table's name: "fetch_requests"
	Label       string // for people: "Fetch Requests"; never empty after load
	Description string
	Route       string // slug under which operators list it; may be empty
	ID          IDKind
	GoRow       string // "FetchRequest"
	GoAccessor  string // "FetchRequests", the field of DB and Tx
	GoPos       Pos    // of go_name, or of the name
	AddedFor    string // the datatype of which a behavior added it; "" for a person's own

	Was    string // its name before; "" where it was not renamed
	WasPos Pos
	Drop   []Dropped // fields that were removed on purpose

	Fields  []*Field // without the id, in the order written; those that passes add come last
	Indexes []*Index // declared ones and the unique ones of fields; sorted as written

	// Sections holds what behaviors read from the sections that have their names, and
	// what else they keep about the datatype. Each knows its own type.
	Sections map[string]any

	// After the passes:
	Operations []*Operation
	Effects    []Effect    // what else happens with each write of its rows, in order
	Cascades   []Cascade   // the references by which a delete of its rows reaches effects of others
	Names      []Name      // what its behaviors print beside what every datatype has
	Held       []Held      // values that rows need the program to know
	Unclaimed  []Unclaimed // rows that may not be there when a section is added
}

// Field is one column.
type Field struct {
	Pos         Pos
	Name        string // column name
	GoName      string // "BodyHTML"
	GoPos       Pos    // of go_name, or of the name
	Type        string // the name of its row in gen/fieldtype
	Label, Help string
	Required    bool // must be given and not empty
	Unique      bool
	Secret      bool // never shown in errors, logs or pages
	Veiled      bool // holds documents of which some have secrets in them: shown as if it were secret
	Added       bool // by a behavior, not by the person
	Kept        bool // by the store or a behavior: a row has it, a new row and a patch have not
	Own         bool // of a behavior, likewise, but its Go may give it in a new row or a patch
	Touched     bool // a datetime that each change of the row sets to its moment
	Raised      bool // a number that each change of the row raises by one
	// Beside is a field with which a query of a person's own has to set this one too; BesideWhy says what happens
	// where it does not, and what to set.
	Beside    *Field
	BesideWhy string
	NotNull   bool // Required, or with a default, or added so
	Wide      bool // text that leaves the row on MySQL, whose rows hold 65,535 bytes

	Default    *Default // nil without one
	Rules      check.Rules
	Options    []Option   // select
	GoType     string     // json: "example.com/shop/types.Price" or ""; see GoTypeImport
	JSONFields []*Field   // json with inline fields
	Drop       []Dropped  // members that such a field had
	JSONGoName string     // the struct that the inline fields become
	EnumGoName string     // select: "ArticleStatus"
	Scale      int        // decimal: digits behind the point
	Reference  *Reference // reference
	References *Datatype  // the datatype that Reference names; set by load
	StateOf    string     // select: the behavior that moves rows between the options by itself; "": none does
	Moves      []Moves    // select: which options may follow which in a row that is there; nil: any
	Published  string     // select: the option of rows that are published; "": none says so
	Patch      *Call      // of an added field: makes what a patch p sets it to, in generated code; nil: what p says

	Was      string // its name before; "" where it was not renamed
	WasPos   Pos
	Naming   Naming    // how its values name datatypes; "" where they do not
	Keep     bool      // with Was: the column of the old name stays and is written as well
	Existing *Existing // nil: nothing is said, and a migration refuses rows that do not fit
	Filled   *Filled   // of a column that triggers write; nil: of any other
}

// Filled is of a column that may be NULL because triggers write it from another one. Where triggers run before
// the database looks for NULLs, it need not be.
type Filled struct {
	Default *Default // the column's own, nil without one
}

// Option is one value of a select.
type Option struct {
	Value  string
	Label  string
	GoName string // "ArticleStatusDraft"
	Was    string // its value before; "" where it was not renamed
	WasPos Pos
}

// Moves are the options that may follow one.
type Moves struct {
	From string
	To   []string
}

// Guarded reports whether a new row may set the field and a patch cannot: there are methods
// for its moves.
func (f *Field) Guarded() bool { return f.Moves != nil }

// Allows reports whether one option may follow another.
func (f *Field) Allows(from, to string) bool {
	return f.Moves == nil || slices.Contains(f.Sources(to), from)
}

// Sources returns the options that Moves lets one follow, in order.
func (f *Field) Sources(to string) (from []string) {
	for _, m := range f.Moves {
		if slices.Contains(m.To, to) {
			from = append(from, m.From)
		}
	}
	return from
}

// Default is what a field holds when a writer does not say.
type Default struct {
	Now  bool   // the moment of writing; datetime and date only
	Text string // canonical text otherwise: "3", "true", "draft", "19.99", a JSON document, RFC 3339
	Call *Call  // of an added field: makes the value in generated code, from the row r and the moment now; nil: none
}

// Reference points to another datatype's id.
type Reference struct {
	To       string // datatype name
	OnDelete string // "restrict" (default), "cascade", "set_null"
}

// Index is a plain or unique index.
type Index struct {
	Pos     Pos
	NamePos Pos    // of its name, or of the index
	Name    string // in the database: "article_status_created_at_idx", unique "article_slug_key"
	GoName  string // unique without Where: the By-name, "Slug" or "TenantIDAndSlug"
	Columns []IndexColumn
	Unique  bool
	Added   bool        // by a behavior or for a reference
	Where   []Condition // all must hold; empty: every row
}

// IndexColumn is one column of an index.
type IndexColumn struct {
	Field *Field
	Desc  bool
}

// Condition is one part of an index's `where`: field op value.
type Condition struct {
	Any    []Condition // if not empty, one of these must hold, and the rest is empty
	Field  *Field
	Op     string   // "=", "!=", "<", "<=", ">", ">=", "in", "null", "not_null"
	Values []string // canonical text, as in Default.Text
}

// OpKind is what an operation does.
type OpKind string

// The operations of every datatype; behaviors add kinds of their own.
const (
	OpInsert OpKind = "insert"
	OpGet    OpKind = "get"    // by id, or by Key
	OpUpdate OpKind = "update" // every column, by id; the runtime narrows it to a patch
	OpUpsert OpKind = "upsert" // on Key
	OpDelete OpKind = "delete" // by id
	OpList   OpKind = "list"   // first page by id; the runtime adds filter, sort and cursor
)

// Operation is one thing that can be done to a datatype's rows.
type Operation struct {
	Name string // query name in SQL: "GetArticleBySlug"
	Kind OpKind
	Key  *Index // of get and upsert; nil: the id

	Behavior string   // that lowers it; "": every datatype has it
	Steps    []string // suffixes of the names of further queries that some database needs for it
	Detail   any      // for that behavior
}

// Query is an operation or a user's query, lowered to one database's SQL.
type Query struct {
	Name    string
	Command string // sqlc's: ":one", ":many", ":exec", ":execrows", ":execlastid"
	Text    string // without the name comment, without the final semicolon, placeholders positional
	Pos     Pos    // the user's file and line; of an operation, the definition that caused it

	// Args gives, for each placeholder, the index of the argument that the caller
	// passes; nil means in order.
	Args []int

	// What the lowering meant; nil for a user's queries. Analysis must agree.
	Params  []*Field // nil entries are parameters without a column, such as a limit
	Columns []*Field // the result; the id is IDField
}

// Section returns what a behavior keeps about the datatype, or nil.
func (d *Datatype) Section(behavior string) any { return d.Sections[behavior] }

// SetSection has the datatype keep what a behavior knows of it.
func (d *Datatype) SetSection(behavior string, section any) {
	if d.Sections == nil {
		d.Sections = map[string]any{}
	}
	d.Sections[behavior] = section
}

// IDField returns the field that stands for a datatype's id.
func (d *Datatype) IDField() *Field {
	f := &Field{Name: "id", GoName: "ID", Type: "id", Label: "ID", NotNull: true}
	if d.ID == IDULID {
		f.Type = "ulid"
	}
	return f
}

// Version returns the field by which a writer says which state of a row it has read, nil without one.
func (d *Datatype) Version() *Field {
	for _, f := range d.Fields {
		if f.Raised {
			return f
		}
	}
	return nil
}

// Keys returns the unique keys by which one row can be named: unique indexes
// over all rows, in order.
func (d *Datatype) Keys() []*Index {
	var keys []*Index
	for _, x := range d.Indexes {
		if x.Unique && len(x.Where) == 0 {
			keys = append(keys, x)
		}
	}
	return keys
}

// Columns returns every column of the datatype, the id first.
func (d *Datatype) Columns() []*Field {
	return append([]*Field{d.IDField()}, d.Fields...)
}

// Hidden reports whether a field's values stay out of what is printed.
func (f *Field) Hidden() bool { return f.Secret || f.Veiled }

// SecretMethods are the methods of generated types that have hidden fields.
var SecretMethods = []string{"Format", "LogValue", "MarshalJSON", "MarshalStored"}

// Storage returns the row of the field's type as it is stored: a reference has
// the type of the id that it points to.
func (f *Field) Storage() fieldtype.Type {
	name := f.Type
	if f.References != nil {
		name = f.References.IDField().Type
	}
	return fieldtype.MustLookup(name)
}

// ColumnTypes returns the field's column type in each database.
func (f *Field) ColumnTypes() fieldtype.Columns {
	return f.Storage().Columns(fieldtype.Size{Max: f.Rules.Max.Int(), Scale: f.Scale, Wide: f.Wide})
}

// WhenColumn names the generated column that stands for a unique index's
// condition on MySQL, which has no partial indexes.
func (x *Index) WhenColumn() string { return ShortName(x.Name + "_when") }

// ShortName keeps a name for the database within PostgreSQL's 63 bytes: a
// longer one keeps its start and ends in a hash of the whole.
func ShortName(name string) string {
	const limit = 63
	if len(name) <= limit {
		return name
	}
	h := fnv.New32a()
	h.Write([]byte(name))
	return fmt.Sprintf("%s_%08x", name[:limit-9], h.Sum32())
}
