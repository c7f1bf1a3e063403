package core

import (
	"slices"

	"github.com/hegner123/modulagen/runtime/store/internal/filter"
)

// keepsAll reports whether a condition keeps every row, whatever its rows are, without
// saying Everything: a program that joins the conditions that it was given, and was
// given none, has not said that it wants to delete every row.
func keepsAll(n *filter.Node) bool {
	if n == nil {
		return true
	}
	switch n.Op {
	case filter.And:
		return !slices.ContainsFunc(n.Kids, func(k *filter.Node) bool { return !keepsAll(k) })
	case filter.Or:
		return slices.ContainsFunc(n.Kids, keepsAll)
	case filter.Not:
		return keepsNone(n.Kids[0])
	}
	return false
}

// keepsNone reports whether a condition keeps no row, whatever its rows are.
func keepsNone(n *filter.Node) bool {
	if n == nil {
		return false
	}
	switch n.Op {
	case filter.And:
		return slices.ContainsFunc(n.Kids, keepsNone)
	case filter.Or:
		return !slices.ContainsFunc(n.Kids, func(k *filter.Node) bool { return !keepsNone(k) })
	case filter.Not:
		return keepsAll(n.Kids[0])
	case filter.In:
		return len(n.Args) == 0
	}
	return false
}
