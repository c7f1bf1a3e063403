package table

import (
	"context"

	"github.com/hegner123/modulagen/runtime/cache/backend"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// maxForget is how many rows are removed one by one; of more, all are.
const maxForget = 100

// Forgets makes the effect that removes, with each write of rows of a datatype,
// what a cache holds of them: the entries tagged with the datatype's name, and
// with a row ("post:7", see backend.RowTag). Generated code calls it for datatypes that
// the cache depends on.
func Forgets(datatype string, spec *Spec) func(context.Context, *core.Conn, []core.Change) error {
	return func(ctx context.Context, c *core.Conn, changes []core.Change) error {
		t := tableOf(c, spec)
		tags := []string{backend.StoredKey(datatype, spec.TagMax)}
		if len(changes) <= maxForget {
			for _, ch := range changes {
				tags = append(tags, backend.StoredKey(backend.RowTag(datatype, ch.ID), spec.TagMax))
			}
		}
		if _, err := t.RemoveTags(ctx, tags); err != nil || len(changes) <= maxForget {
			return err
		}
		start := datatype + ":"
		_, err := t.removeTagRange(ctx, start, backend.After(start))
		return err
	}
}
