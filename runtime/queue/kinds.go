package queue

import (
	"context"
	"fmt"

	"github.com/hegner123/modulagen/runtime/store"
)

// sortKinds lets rows be claimed whose kind this program knows, and keeps others
// from being looked at with every claim.
func (e *engine) sortKinds(ctx context.Context) error {
	args := arguments(e.db, 0)
	args[argLimit] = int64(maxSettle)
	n, err := store.Exec(ctx, e.db.Conn(), &e.shape.st.Unpark, args)
	if err != nil {
		return err
	}
	if n > 0 {
		e.db.Conn().Announce(e.shape.name)
	}
	return e.parkUnknown(ctx)
}

// unknownRow is a row that no handler of this program is for.
type unknownRow struct {
	id      anyID
	kind    store.Null[string]
	version int64
}

func (e *engine) parkUnknown(ctx context.Context) error {
	args := arguments(e.db, 0)
	args[argLimit] = int64(maxSettle)
	versions := e.shape.versioned
	rows, err := store.Many(ctx, e.db.Conn(), &e.shape.st.Stranger, args, func(s *unknownRow) []any {
		if versions {
			return []any{&s.id, &s.kind, &s.version}
		}
		return []any{&s.id, &s.kind}
	})
	if err != nil || len(rows) == 0 {
		return err
	}
	_, err = store.ExecEach(ctx, e.db.Conn(), &e.shape.st.Park, len(rows), func(i int) []any {
		args := arguments(e.db, 0)
		args[argID], args[argError] = rows[i].id.v, UnknownKind(rows[i].kind.V).Error()
		if _, known := e.shape.policies[rows[i].kind.V]; known {
			args[argError] = fmt.Sprintf("queue: version %d of kind %q is newer than this program: it waits for one that knows it", rows[i].version, rows[i].kind.V)
		}
		return args
	})
	if err == nil {
		e.opts.Logger.Warn("rows left for other programs", "queue", e.shape.name, "rows", len(rows))
	}
	return err
}
