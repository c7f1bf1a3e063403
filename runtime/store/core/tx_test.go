package core

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// silent is a transaction on a server that does not answer.
type silent struct{ Transaction }

func (silent) Rollback(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// TestRollbackIsBounded undoes a transaction on a server that does not answer.
func TestRollbackIsBounded(t *testing.T) {
	for _, c := range []struct{ deadline, want time.Duration }{
		{0, rollbackAfter}, // it has passed
		{time.Second, time.Second + rollbackAfter},
		{time.Hour, rollbackWait},
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), c.deadline)
			defer cancel()
			began := time.Now()
			if err := rollback(ctx, silent{}); err == nil || time.Since(began) != c.want {
				t.Errorf("with a deadline in %s it took %s, not %s: %v", c.deadline, time.Since(began), c.want, err)
			}
		})
	}
}
