package core_test

import (
	"strings"
	"testing"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// TestOpenTargets opens databases of which the program is generated for some: the others are refused
// before a driver is looked for.
func TestOpenTargets(t *testing.T) {
	s := &core.Schema{Targets: []string{"postgres", "mysql"}}
	_, err := core.Open(t.Context(), "sqlite:"+t.TempDir()+"/app.db", s, store.Options{})
	for _, part := range []string{"the DSN is of sqlite", "generated for postgres and mysql alone", "add sqlite to databases in modulagen.yaml"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("the error is %v, without %q", err, part)
		}
	}
	s.Targets = []string{"sqlite"}
	for _, dsn := range []string{"mariadb://user:hidden@localhost/x", "postgresql://user:hidden@localhost/x"} {
		_, err := core.Open(t.Context(), dsn, s, store.Options{})
		if err == nil || !strings.Contains(err.Error(), "generated for sqlite alone") || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%s: the error is %v", dsn, err)
		}
	}
}
