package engine

import (
	"context"
	"fmt"

	"github.com/hegner123/modulagen/runtime/queue/protocol"
	"github.com/hegner123/modulagen/runtime/store/core"

	"github.com/hegner123/modulagen/runtime/store"
)

// kindSorter sets the hold of rows whose kind or version this program does not know.
type kindSorter struct {
	*table
	observer *observer
}

// sorts reports whether the queue has kinds.
func (k *kindSorter) sorts() bool { return k.shape.st.Park.Text[0] != "" }

// sort makes rows claimable whose kind this program knows, and excludes the others
// from its claims.
func (k *kindSorter) sort(ctx context.Context) error {
	args := arguments(k.db, 0)
	args[protocol.ArgLimit] = int64(maxSettle)
	n, err := k.changeSome(ctx, k.db.Conn(), &k.shape.st.Unpark, &k.shape.st.SetHold, args)
	if err != nil {
		return err
	}
	if n > 0 {
		k.db.Conn().Announce(k.shape.name)
	}
	return k.park(ctx)
}

// unknownRow is a row that this program has no handler for.
type unknownRow struct {
	id      core.AnyID
	kind    store.Null[string]
	version int64
}

func (k *kindSorter) park(ctx context.Context) error {
	args := arguments(k.db, 0)
	args[protocol.ArgLimit] = int64(maxSettle)
	versions := k.shape.versioned
	rows, err := core.Many(ctx, k.db.Conn(), &k.shape.st.UnknownKind, args, func(s *unknownRow) []any {
		if versions {
			return []any{&s.id, &s.kind, &s.version}
		}
		return []any{&s.id, &s.kind}
	})
	if err != nil || len(rows) == 0 {
		return err
	}
	_, err = core.ExecEach(ctx, k.db.Conn(), &k.shape.st.Park, len(rows), func(i int) []any {
		args := arguments(k.db, 0)
		args[protocol.ArgID], args[protocol.ArgError] = rows[i].id.V, UnknownKind(rows[i].kind.V).Error()
		if _, known := k.shape.policies[rows[i].kind.V]; known {
			args[protocol.ArgError] = fmt.Sprintf("queue: version %d of kind %q is newer than this program: it waits for one that knows it", rows[i].version, rows[i].kind.V)
		}
		return args
	})
	if err == nil {
		k.observer.logger.Warn("rows left for other programs", "queue", k.shape.name, "rows", len(rows))
	}
	return err
}
