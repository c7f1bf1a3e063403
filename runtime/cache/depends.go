package cache

import (
	"fmt"
)

// RowTag is the tag of what is made of one row: "post:7" for the post with the
// id 7. A write of the row through its datatype's methods removes the entries
// with the tag, where the cache's definition has the datatype in depends_on.
func RowTag(datatype string, id any) string { return fmt.Sprintf("%s:%v", datatype, id) }

// all stands for every id of a datatype.
type all struct{}

// maxForget is how many rows are told one by one; of more, all are meant.
const maxForget = 100

// IDs are the ids of several rows, for Forget. Generated code calls it.
func IDs[ID any](ids []ID) []any {
	if len(ids) > maxForget {
		return AllIDs()
	}
	out := make([]any, len(ids))
	for i, id := range ids {
		out[i] = id
	}
	return out
}

// AllIDs stands for every row of a datatype, for Forget. Generated code calls it.
func AllIDs() []any { return []any{all{}} }
