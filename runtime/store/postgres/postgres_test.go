package postgres_test

import (
	"testing"

	"github.com/hegner123/modulagen/runtime/store"
	_ "github.com/hegner123/modulagen/runtime/store/postgres"
	"github.com/hegner123/modulagen/runtime/store/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) *storetest.DB {
		return storetest.Open(t, storetest.FreshDSN(t, "postgres"), store.Options{})
	})
}
