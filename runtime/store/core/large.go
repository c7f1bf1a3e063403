package core

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/check"
)

// tooLarge names the field whose value makes a statement larger than the server takes: the largest of
// those that are written.
func (a access) tooLarge(e *TooLargeError, vals []any, only *columnSet, steps []step) error {
	largest, field := 0, ""
	look := func(col int, v any) {
		if n := sizeOf(v) - shortValue; n > largest {
			largest, field = n, a.s.Columns[col].Name
		}
	}
	for col, v := range vals {
		if only == nil || only.has(col) {
			look(col, v)
		}
	}
	for i := range steps {
		look(steps[i].col, steps[i].arg)
	}
	if field == "" {
		return e
	}
	return &store.ValidationError{
		Datatype: a.s.Name, Cause: e,
		Violations: []store.Violation{{Field: field, Rule: "size", Message: fmt.Sprintf(
			"has %d bytes, and a statement of the server takes %d with all of its values: raise its %s", largest, e.Limit, e.Setting)}},
	}
}

// written completes the error of a write. vals are by column; only holds those that were written, or
// is nil for all.
func (a access) written(ctx context.Context, err error, vals []any, only *columnSet, steps ...step) error {
	if large, ok := errors.AsType[*TooLargeError](err); ok {
		return a.tooLarge(large, vals, only, steps)
	}
	return a.pointing(ctx, err, vals, only)
}

// warnOfSizes logs the fields that may hold more than the server takes. Those with as much as it takes, as bytes
// without a max of their own and MariaDB without settings have, are left out: only their last few bytes do not fit.
func warnOfSizes(ctx context.Context, log *slog.Logger, b Backend, schema *Schema) {
	bounded, ok := b.(Bounded)
	if !ok {
		return
	}
	limit := bounded.StatementBytes()
	var fields []string
	for _, t := range schema.Tables {
		for _, c := range t.Columns {
			if n := mostBytes(&c.Rules); n > limit {
				fields = append(fields, fmt.Sprintf("%s.%s (%d bytes)", t.Name, c.Name, n))
			}
		}
	}
	if len(fields) > 0 {
		log.WarnContext(ctx, "store: the server refuses the largest values of some fields: raise its "+bounded.StatementSetting()+", or write a lower max",
			bounded.StatementSetting(), limit, "fields", strings.Join(fields, ", "))
	}
}

// mostBytes is how many bytes a value may have; 0 for what is short, or has no limit that is its own.
func mostBytes(r *check.Rules) int {
	if !r.Max.IsSet() {
		return 0
	}
	switch r.Kind {
	case check.Bytes, check.JSON:
		return int(r.Max.Int())
	case check.Text:
		return 4 * int(r.Max.Int()) // utf8mb4
	}
	return 0
}
