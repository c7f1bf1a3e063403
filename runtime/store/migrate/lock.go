package migrate

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

const (
	lockPoll   = 200 * time.Millisecond
	lockReport = 15 * time.Second // between two lines of one that waits
)

// withLock opens a connection for changing tables and runs fn under the lock of those that migrate.
func withLock(ctx context.Context, b core.Backend, o Options, fn func(core.Migration) error) (err error) {
	migrator, ok := b.(core.Migrator)
	if !ok {
		return fmt.Errorf("store: %s: the driver cannot migrate", b.Name())
	}
	m, err := migrator.Migration(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	if err := waitForLock(ctx, b, m, o); err != nil {
		return err
	}
	return fn(m)
}

// waitForLock waits for the lock, and logs which process holds it.
func waitForLock(ctx context.Context, b core.Backend, m core.Migration, o Options) error {
	begun := time.Now()
	var reported time.Time
	for {
		got, err := m.Lock(ctx)
		if err != nil || got {
			return err
		}
		waited := time.Since(begun)
		if reported.IsZero() || time.Since(reported) > lockReport {
			reported = time.Now()
			o.Logger.InfoContext(ctx, "store: waiting for another process that migrates", "database", b.Name(),
				"doing", atWork(ctx, b), "waited", waited.Round(time.Second), "at_most", o.Wait)
		}
		if waited > o.Wait {
			return fmt.Errorf("store: %s: another process has been migrating for %s: %s: %w", b.Name(), o.Wait, atWork(ctx, b), store.ErrBusy)
		}
		if err := pause(ctx, lockPoll); err != nil {
			return err
		}
	}
}

// atWork describes what the process that holds the lock is doing, as far as that is recorded.
func atWork(ctx context.Context, b core.Backend) string {
	st, err := inspect(ctx, b, b, nil)
	if err != nil {
		return "what it does could not be read: " + err.Error()
	}
	for _, r := range st.rows {
		if !r.State.applied() {
			return r.doing()
		}
	}
	return "nothing is recorded of it yet"
}

// pause waits between half of d and one and a half times d, so that two processes do not stay in step.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d/2 + rand.N(d))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
