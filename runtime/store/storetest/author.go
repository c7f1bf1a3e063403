package storetest

import (
	"time"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/check"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// The types below stand for what the generator prints, in its style.

// AuthorID is the id of an author: a ULID.
type AuthorID string

// Author has a ULID, one unique key and one of two columns that may be null.
type Author struct {
	ID     AuthorID
	Email  string
	Realm  string
	Number store.Null[int64]
}

// AuthorNew is a new author.
type AuthorNew struct {
	ID     store.Opt[AuthorID]
	Email  string
	Realm  store.Opt[string]
	Number store.Opt[int64]
}

// AuthorPatch changes an author.
type AuthorPatch struct {
	Email  store.Opt[string]
	Realm  store.Opt[string]
	Number store.Opt[int64]
}

// AuthorFields are the columns, for filters and sorts.
var AuthorFields = struct {
	ID     store.Col[AuthorID, AuthorID]
	Email  store.TextCol[AuthorID, string]
	Realm  store.TextCol[AuthorID, string]
	Number store.Col[AuthorID, int64]
}{
	core.FieldOf[AuthorID, AuthorID](0), core.TextOf[AuthorID, string](1),
	core.TextOf[AuthorID, string](2), core.FieldOf[AuthorID, int64](3),
}

var authorSpec = core.Spec{
	Name: "author",
	ID:   core.IDULID,
	Columns: []core.Column{
		{Name: "id", Rules: check.Rules{Kind: check.Text, Max: check.At("26")}, Types: [3]string{"TEXT", "character(26)", "char(26)"}},
		{Name: "email", Rules: check.Rules{Kind: check.Text, Required: true, Format: check.Email, Max: check.At("200")}, Types: [3]string{"TEXT", "character varying(200)", "varchar(200)"}},
		{Name: "realm", Rules: check.Rules{Kind: check.Text, Max: check.At("50")}, Types: [3]string{"TEXT", "character varying(50)", "varchar(50)"}},
		{Name: "number", Rules: check.Rules{Kind: check.Int}, Null: true, Types: [3]string{"INTEGER", "bigint", "bigint"}},
	},
	Keys: []core.Key{
		{Name: "author_email_key", Columns: []int{1}},
		{Name: "author_realm_number_key", Columns: []int{2, 3}},
	},
	Row: func() any { return new(Author) },
	Fields: func(row any, buf []any) []any {
		r := row.(*Author)
		return append(buf, (*string)(&r.ID), &r.Email, &r.Realm, &r.Number)
	},
	New: func(given, row any, m *core.Mask, _ time.Time) {
		n, r := given.(*AuthorNew), row.(*Author)
		r.ID = AuthorID(n.ID.Or(""))
		if r.ID == "" {
			r.ID = AuthorID(core.NewULID())
		}
		r.Email = n.Email
		m.Add(1)
		core.Put(m, 2, &r.Realm, n.Realm, "main")
		core.PutNull(m, 3, &r.Number, n.Number)
	},
	Patch: func(patch, row any, m *core.Mask) {
		p, r := patch.(*AuthorPatch), row.(*Author)
		core.Patch(m, 1, &r.Email, p.Email)
		core.Patch(m, 2, &r.Realm, p.Realm)
		core.PutNull(m, 3, &r.Number, p.Number)
	},
}

var authorTable = authorSpec.TableDef(
	core.Index{Name: "author_email_key", Columns: []int{1}, Unique: true},
	core.Index{Name: "author_realm_number_key", Columns: []int{2, 3}, Unique: true},
)
