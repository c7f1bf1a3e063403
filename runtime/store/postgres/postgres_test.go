package postgres_test

import (
	"testing"

	_ "github.com/hegner123/modulagen/runtime/store/postgres"
	"github.com/hegner123/modulagen/runtime/store/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) string { return storetest.FreshDSN(t, "postgres") })
}

func TestNetwork(t *testing.T) {
	storetest.RunNetwork(t, func(t *testing.T) string { return storetest.FreshDSN(t, "postgres") })
}

// TestPooled passes the suite behind PgBouncer in transaction mode, but for the
// tests that cancel statements, as at a deadline: PgBouncer 1.18, Debian's, was seen to
// crash under the requests to cancel that they send.
func TestPooled(t *testing.T) {
	storetest.Run(t, func(t *testing.T) string { return storetest.FreshPooledDSN(t) }, "Cancel", "TransactionCancelled", "Cause", "Reserved")
}
