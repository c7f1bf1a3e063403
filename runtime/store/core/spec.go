package core

import (
	"encoding/json"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/check"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// IDKind is how rows of a datatype are identified.
type IDKind uint8

// The kinds of id.
const (
	IDInteger IDKind = iota // given by the database, growing
	IDULID                  // given by the writer: NewULID
)

// Column is one column of a datatype.
type Column struct {
	Name  string
	Rules check.Rules
	Null  bool      // may be NULL
	Types [3]string // the type that each database reports, by sqltext.Dialect
}

// Key is a unique key over every row.
type Key struct {
	Name    string // of its index in the database
	Columns []int
}

// Index is an index as it stands in the database.
type Index struct {
	Name    string
	Columns []int
	Desc    []bool // by position; nil is ascending throughout
	Unique  bool
	Partial bool // only some rows; MySQL has no such index
}

// Spec describes a datatype to the store. Its functions take a row as a *R, a new
// row as a *N and a patch as a *P. Generated code has one Spec for each datatype;
// it must not be copied or changed after first use.
type Spec struct {
	Name    string // the table
	ID      IDKind
	Columns []Column // column 0 is the id
	Keys    []Key
	// Row returns a new row.
	Row func() any
	// Fields appends the place of each column in row, in order.
	Fields func(row any, buf []any) []any
	// New fills row from n, defaults included, and marks what the caller gave. It
	// gives a ULID its id.
	New func(n, row any, m *Mask, now time.Time)
	// Patch fills row from p and marks what the caller gave.
	Patch func(p, row any, m *Mask)

	// Touched is the column, a time that cannot be null, that each change of a row by
	// Update or an upsert sets to its moment; 0: there is none.
	Touched int

	// Version is the column, a number that cannot be null, that each change of a row raises by one; 0:
	// there is none.
	Version int

	// Workflow is the moves between the values of one column; nil: there are none to hold to.
	// A new row sets the column; neither Patch nor an upsert of a row that is there does.
	Workflow *Workflow

	// Effects is what else happens with each write, in order. It and Cascades are
	// set before the first use: an init function does, for both may lead back here.
	Effects []Effect
	// Cascades are references to this datatype by which a delete reaches rows of a
	// datatype with effects.
	Cascades []Cascade

	once sync.Once
	rows reflect.Type                             // []R
	byOp [Created + Updated + Deleted + 1]effects // the effects on some writes

	dialects [3]atomic.Pointer[statements]
	scratch  sync.Pool // of *scratch
	starts   sync.Mutex
}

// prepare computes what is known once Effects is set; the first use does.
func (s *Spec) prepare() {
	s.once.Do(func() {
		s.rows = reflect.SliceOf(reflect.TypeOf(s.Row()).Elem())
		for op := range s.byOp {
			s.byOp[op] = effects(s.Effects).on(Op(op))
		}
	})
}

// followed reports whether a write has effects, here or where it cascades.
func (s *Spec) followed(op Op) bool {
	return len(s.Effects) > 0 || op == Deleted && len(s.Cascades) > 0
}

// TableDef describes the table to Open.
func (s *Spec) TableDef(indexes ...Index) TableDef {
	return TableDef{Name: s.Name, Columns: s.Columns, Indexes: indexes}
}

// statements are a datatype's statements in one dialect.
type statements struct {
	dialect   sqltext.Dialect
	table     string   // quoted
	names     []string // of every column
	quoted    []string
	selectAll string // SELECT every column FROM the table
	insert    string
	insertAll []int // columns that insert binds: all but an id that the database gives
	insertSet []string
	rewritten []int // of a new row, the columns that are read again: the id, documents that the database stores in a form of its own
	get       string
	byKey     []string
	lock      []string // MySQL's: the id of the row with a key, kept from others
	del       string

	mu      sync.RWMutex
	updates map[columnSet]string
	upserts map[upsertShape]string
	bulk    map[int]string // multi-row inserts by number of rows
}

type upsertShape struct {
	key int
	set columnSet
}

// scratch is what one call needs besides the row; kept, so that calls do not
// allocate it.
type scratch struct {
	dest []any // places of the columns
	vals []any // what is to be written, by column
	args []any
}

func (s *Spec) take() *scratch {
	if v := s.scratch.Get(); v != nil {
		return v.(*scratch)
	}
	n := len(s.Columns)
	return &scratch{dest: make([]any, 0, n), vals: make([]any, 0, n), args: make([]any, 0, n+1)}
}

func (s *Spec) give(sc *scratch) {
	clear(sc.dest)
	clear(sc.vals)
	clear(sc.args)
	sc.dest, sc.vals, sc.args = sc.dest[:0], sc.vals[:0], sc.args[:0]
	s.scratch.Put(sc)
}

func (s *Spec) in(d sqltext.Dialect) *statements {
	if st := s.dialects[d].Load(); st != nil {
		return st
	}
	s.starts.Lock()
	defer s.starts.Unlock()
	if st := s.dialects[d].Load(); st != nil {
		return st
	}
	st := s.compose(d)
	s.dialects[d].Store(st)
	return st
}

func (s *Spec) compose(d sqltext.Dialect) *statements {
	st := &statements{
		dialect: d,
		table:   d.Quote(s.Name),
		updates: map[columnSet]string{},
		upserts: map[upsertShape]string{},
		bulk:    map[int]string{},
	}
	for i, c := range s.Columns {
		st.names = append(st.names, c.Name)
		st.quoted = append(st.quoted, d.Quote(c.Name))
		if i > 0 || s.ID == IDULID {
			st.insertAll = append(st.insertAll, i)
			st.insertSet = append(st.insertSet, c.Name)
		}
	}
	st.selectAll = sqltext.Select(d, s.Name, st.names)
	st.insert = sqltext.Insert(d, s.Name, st.insertSet, s.ID == IDInteger)
	if d == sqltext.Postgres {
		st.readAgain(s)
	}
	st.get = sqltext.Get(d, s.Name, st.names, st.names[:1])
	st.del = sqltext.Delete(d, s.Name)
	for _, k := range s.Keys {
		st.byKey = append(st.byKey, sqltext.Get(d, s.Name, st.names, st.pick(k.Columns)))
		if d == sqltext.MySQL {
			st.lock = append(st.lock, sqltext.Lock(d, s.Name, st.pick(k.Columns)))
		}
	}
	return st
}

// readAgain has an insert return the id, if the database gives it, and documents of no Go
// type: jsonb has neither their spaces nor a key that stands in them twice.
func (st *statements) readAgain(s *Spec) {
	if s.ID == IDInteger {
		st.rewritten = append(st.rewritten, 0)
	}
	for i, place := range s.Fields(s.Row(), nil) {
		switch place.(type) {
		case *json.RawMessage, *store.Null[json.RawMessage]:
			st.rewritten = append(st.rewritten, i)
		}
	}
	if len(st.rewritten) > 0 {
		insert, _, _ := strings.Cut(st.insert, "\nRETURNING ")
		st.insert = insert + "\nRETURNING " + st.dialect.Columns(st.pick(st.rewritten))
	}
}

func (st *statements) pick(cols []int) []string {
	names := make([]string, len(cols))
	for i, c := range cols {
		names[i] = st.names[c]
	}
	return names
}

// keptStatements is how many shapes of updates and of upserts are remembered.
// A program has as many as its source has different patches: a few.
const keptStatements = 1024

// remembered returns m[k], making it the first time.
func remembered[K comparable](st *statements, m map[K]string, k K, compose func() string) string {
	st.mu.RLock()
	text, ok := m[k]
	st.mu.RUnlock()
	if ok {
		return text
	}
	text = compose()
	st.mu.Lock()
	defer st.mu.Unlock()
	if len(m) < keptStatements {
		m[k] = text
	}
	return text
}

// setID sets an id of a datatype's own type from the place that one was read into.
func setID(id reflect.Value, place any) {
	switch p := place.(type) {
	case *int64:
		id.SetInt(*p)
	case *string:
		id.SetString(*p)
	default:
		id.Set(reflect.ValueOf(place).Elem().Convert(id.Type()))
	}
}
