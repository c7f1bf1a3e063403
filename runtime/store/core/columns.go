package core

import (
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/internal/filter"
)

// AnyCond is a store.Cond without its type, as a Table takes it.
type AnyCond struct{ Filter *filter.Node }

// FieldOf makes a column; generated code does.
//
//go:noinline
func FieldOf[ID, T any](col int) store.Col[ID, T] {
	return store.Col[ID, T]{
		Eq:  func(v T) store.Cond[ID] { return store.Cond[ID]{Filter: leaf(filter.Eq, col, v)} },
		Ne:  func(v T) store.Cond[ID] { return store.Cond[ID]{Filter: leaf(filter.Ne, col, v)} },
		Lt:  func(v T) store.Cond[ID] { return store.Cond[ID]{Filter: leaf(filter.Lt, col, v)} },
		Lte: func(v T) store.Cond[ID] { return store.Cond[ID]{Filter: leaf(filter.Lte, col, v)} },
		Gt:  func(v T) store.Cond[ID] { return store.Cond[ID]{Filter: leaf(filter.Gt, col, v)} },
		Gte: func(v T) store.Cond[ID] { return store.Cond[ID]{Filter: leaf(filter.Gte, col, v)} },
		In: func(vs ...T) store.Cond[ID] {
			args := make([]any, len(vs))
			for i, v := range vs {
				args[i] = v
			}
			return store.Cond[ID]{Filter: leaf(filter.In, col, args...)}
		},
		Between: func(low, high T) store.Cond[ID] { return store.Cond[ID]{Filter: leaf(filter.Between, col, low, high)} },
		IsNull:  func() store.Cond[ID] { return store.Cond[ID]{Filter: leaf(filter.Null, col)} },
		NotNull: func() store.Cond[ID] { return store.Cond[ID]{Filter: leaf(filter.NotNull, col)} },
		Asc:     func() store.Order[ID] { return store.Order[ID]{Key: filter.Key{Col: col}} },
		Desc:    func() store.Order[ID] { return store.Order[ID]{Key: filter.Key{Col: col, Desc: true}} },
	}
}

// leaf is a comparison. It is not inlined into the functions above, of which there
// are some for every type of column.
//
//go:noinline
func leaf(o filter.Op, col int, args ...any) *filter.Node {
	return &filter.Node{Op: o, Col: col, Args: args}
}

// TextOf makes a text column; generated code does.
//
//go:noinline
func TextOf[ID, T any](col int) store.TextCol[ID, T] {
	return store.TextCol[ID, T]{
		Col:      FieldOf[ID, T](col),
		Prefix:   func(s string) store.Cond[ID] { return store.Cond[ID]{Filter: leaf(filter.Prefix, col, s)} },
		Contains: func(s string) store.Cond[ID] { return store.Cond[ID]{Filter: leaf(filter.Contains, col, s)} },
	}
}

// OpaqueOf makes an opaque column; generated code does.
//
//go:noinline
func OpaqueOf[ID any](col int) store.OpaqueCol[ID] {
	return store.OpaqueCol[ID]{
		IsNull:  func() store.Cond[ID] { return store.Cond[ID]{Filter: leaf(filter.Null, col)} },
		NotNull: func() store.Cond[ID] { return store.Cond[ID]{Filter: leaf(filter.NotNull, col)} },
	}
}
