package postgres

import (
	"encoding/json"
	"math/big"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/jackc/pgx/v5/pgtype"
)

// arguments returns the values that pgx encodes.
func arguments(args []any) ([]any, error) {
	if len(args) == 0 {
		return nil, nil
	}
	bound := make([]any, len(args))
	var err error
	for i, a := range args {
		if bound[i], err = argument(a); err != nil {
			return nil, err
		}
	}
	return bound, nil
}

func argument(a any) (any, error) {
	v, err := core.Plain(a)
	if err != nil {
		return nil, err
	}
	switch x := v.(type) {
	case json.RawMessage:
		return string(x), nil // bytes would be bytea where pgx does not know the parameter
	case store.Date:
		return date(x), nil
	case core.Number:
		return numeric(x), nil
	case []int64:
		return notNil(x), nil
	case []float64:
		return notNil(x), nil
	case []string:
		return notNil(x), nil
	case []time.Time:
		return notNil(x), nil
	case []store.Date:
		return mapped(x, date), nil
	case []core.Number:
		return mapped(x, numeric), nil
	}
	return v, nil
}

// notNil makes an empty array of a nil slice, which pgx takes for NULL.
func notNil[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

func date(d store.Date) pgtype.Date { return pgtype.Date{Time: d.Time(), Valid: true} }

func numeric(n core.Number) pgtype.Numeric {
	return pgtype.Numeric{Int: big.NewInt(n.Unscaled), Exp: -int32(n.Scale), Valid: true}
}

func mapped[A, B any](from []A, f func(A) B) []B {
	to := make([]B, len(from))
	for i, v := range from {
		to[i] = f(v)
	}
	return to
}
