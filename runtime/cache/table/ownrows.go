package table

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/hegner123/modulagen/runtime/cache/backend"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// Rows of a cache's own table may be written by the plain methods of their datatype
// as well. Caches then forget what they keep of them in memory, in this process and
// in others, as they do after Set and Delete.

// ForgetWritten makes the effect that has caches forget the entries whose rows are
// created, updated or upserted. It needs the rows, before and after: a row may get
// another key. key is the column of the key. Generated code calls it.
func ForgetWritten(spec *Spec, rows *core.Spec, key string) func(context.Context, *core.Conn, []core.Change) error {
	column := columnOf(rows, key)
	return func(ctx context.Context, c *core.Conn, changes []core.Change) error {
		if writesItself(ctx) {
			return nil
		}
		var keys []string
		for _, ch := range changes {
			for _, row := range []any{ch.Before, ch.After} {
				if row == nil {
					continue
				}
				k, err := core.Plain(rows.Fields(row, nil)[column()])
				if err != nil {
					return err
				}
				if k, ok := k.(string); ok && !slices.Contains(keys, k) {
					keys = append(keys, k)
				}
			}
		}
		return tableOf(c, spec).gone(ctx, keys)
	}
}

// ForgetDeleted makes the effect that has caches forget the entries whose rows are
// deleted. It runs before they are, and reads their keys alone: values may be large.
// Generated code calls it.
func ForgetDeleted(spec *Spec, rows *core.Spec, key string) func(context.Context, *core.Conn, []core.Change) error {
	column := columnOf(rows, key)
	keysOf := sync.OnceValue(func() *core.Statement { return core.ColumnByIDs(rows, column()) })
	return func(ctx context.Context, c *core.Conn, changes []core.Change) error {
		ids := make([]any, len(changes))
		for i, ch := range changes {
			ids[i] = ch.ID
		}
		keys, err := core.Many(ctx, c, keysOf(), []any{core.IDList(ids)}, func(key *string) []any { return []any{key} })
		if err != nil {
			return err
		}
		return tableOf(c, spec).gone(ctx, keys)
	}
}

// columnOf finds a column at its first use: Specs may still be incomplete when
// effects are made.
func columnOf(rows *core.Spec, name string) func() int {
	return sync.OnceValue(func() int {
		i := slices.IndexFunc(rows.Columns, func(c core.Column) bool { return c.Name == name })
		if i < 0 {
			panic(fmt.Sprintf("cache: %s has no column %s: run modulagen generate", rows.Name, name))
		}
		return i
	})
}

type itself struct{}

// patch writes fields of the user's own on the entry that w writes. That is a
// write of a row like any other, but the write of the entry has announced it already.
func (t *table) patch(ctx context.Context, w *backend.Write) error {
	if w.Patch == nil {
		return nil
	}
	return t.spec.Patch(context.WithValue(ctx, itself{}, true), t.c, w.Key, w.Patch)
}

func writesItself(ctx context.Context) bool { return ctx.Value(itself{}) != nil }
