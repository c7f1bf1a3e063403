package postgres

import (
	"context"
	"sync/atomic"

	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/jackc/pgx/v5/pgconn"
)

// abandoned counts commits that stopped waiting for their synchronous standby,
// on all connections of a pool. A statement that is cancelled in that wait has
// committed on the primary, and the server calls it done, with a warning: a
// standby that is promoted may not have it.
type abandoned struct{ commits atomic.Int64 }

// waitRoutine is the function of the server that warns, which is named as itself
// in every language.
const waitRoutine = "SyncRepWaitForLSN"

// notice takes the server's warnings.
func (a *abandoned) notice(_ *pgconn.PgConn, n *pgconn.Notice) {
	if n.Routine == waitRoutine {
		a.commits.Add(1)
	}
}

// since returns an error when a commit may have been abandoned since there were so
// many, and ctx has ended, which is what cancels a statement. Of another one that
// ended at the same time its context's end is true as well.
func (a *abandoned) since(ctx context.Context, before int64) error {
	if a.commits.Load() == before {
		return nil
	}
	return core.Ended(ctx)
}
