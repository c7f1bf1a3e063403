package core

import "github.com/hegner123/modulagen/runtime/store"

// MaxColumns is how many columns a datatype may have, the id included.
const MaxColumns = 256

// Mask says which columns a writer set. It also remembers columns that were set
// to null although they cannot be, which the write then refuses.
type Mask struct {
	set      columnSet
	nulled   columnSet
	relative []relative
}

// relative is a column whose new value comes from the one that is there.
type relative struct {
	col    int
	how    store.Change
	amount any
}

// empty reports whether a patch changes nothing.
func (m *Mask) empty() bool { return m.set.empty() && len(m.relative) == 0 }

// relate marks a column whose Opt is such a change.
func relate[T any](m *Mask, col int, o store.Opt[T]) {
	if amount, how := o.Relative(); how != store.Assigned {
		m.relative = append(m.relative, relative{col, how, amount})
	}
}

// columnSet is a set of column numbers; comparable, so that it keys statements.
type columnSet [MaxColumns / 64]uint64

func (s *columnSet) add(col int)      { s[col>>6] |= 1 << (col & 63) }
func (s *columnSet) has(col int) bool { return s[col>>6]&(1<<(col&63)) != 0 }
func (s *columnSet) remove(col int)   { s[col>>6] &^= 1 << (col & 63) }
func (s *columnSet) empty() bool      { return *s == columnSet{} }

// Add marks a column as set.
func (m *Mask) Add(col int) { m.set.add(col) }

// Has reports whether a column was set.
func (m *Mask) Has(col int) bool { return m.set.has(col) }

// Put, PutNull and Patch are called for every column of every datatype: they are
// not inlined, because compiling them there costs a second of processor time for
// each hundred datatypes, and calling them nothing that can be measured.

// Put fills a column of a new row that cannot be null: the value given, or def.
//
//go:noinline
func Put[T any](m *Mask, col int, dst *T, o store.Opt[T], def T) {
	switch v, ok := o.Get(); {
	case ok:
		*dst = v
		m.set.add(col)
	case o.IsNull():
		m.nulled.add(col)
	default:
		*dst = def
		relate(m, col, o)
	}
}

// PutNull fills a column that may be null, of a new row or of a patch.
//
//go:noinline
func PutNull[T any](m *Mask, col int, dst *store.Null[T], o store.Opt[T]) {
	switch v, ok := o.Get(); {
	case ok:
		*dst = store.Null[T]{V: v, Valid: true}
		m.set.add(col)
	case o.IsNull():
		*dst = store.Null[T]{}
		m.set.add(col)
	default:
		relate(m, col, o)
	}
}

// Patch fills a column of a patch that cannot be null.
//
//go:noinline
func Patch[T any](m *Mask, col int, dst *T, o store.Opt[T]) {
	switch v, ok := o.Get(); {
	case ok:
		*dst = v
		m.set.add(col)
	case o.IsNull():
		m.nulled.add(col)
	default:
		relate(m, col, o)
	}
}
