package core

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hegner123/modulagen/runtime/store"
)

// EnumHas reports whether a select's value was declared. Generated code calls it.
//
//go:noinline
func EnumHas[E ~string](v E, declared []E) bool { return slices.Contains(declared, v) }

// EnumToText is the text of a select's value. Generated code calls it. A value
// that was not declared gives an error that is ErrInvalid.
//
//go:noinline
func EnumToText[E ~string](v E, declared []E) ([]byte, error) {
	if !slices.Contains(declared, v) {
		return nil, enumError(v, declared)
	}
	return []byte(v), nil
}

// EnumFromText sets a select's value from text. Generated code calls it. Text
// that was not declared gives an error that is ErrInvalid and leaves v alone.
//
//go:noinline
func EnumFromText[E ~string](v *E, text []byte, declared []E) error {
	if !slices.Contains(declared, E(text)) {
		return enumError(E(text), declared)
	}
	*v = E(text)
	return nil
}

func enumError[E ~string](v E, declared []E) error {
	words := make([]string, len(declared))
	for i, d := range declared {
		words[i] = string(d)
	}
	return fmt.Errorf("%w: %q is not one of %s", store.ErrInvalid, string(v), strings.Join(words, ", "))
}
