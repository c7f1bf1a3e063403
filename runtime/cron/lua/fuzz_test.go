package lua_test

import (
	"errors"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/cron/lua"
)

// FuzzBody runs any text as the body of a function: whatever it is, the run ends, and soon.
func FuzzBody(f *testing.F) {
	for _, row := range hostile {
		f.Add(row.body)
	}
	f.Fuzz(func(t *testing.T, text string) {
		began := time.Now()
		_, err := body(t.Context(), text, lua.Options{Instructions: 20_000, Memory: 1 << 20, Output: 10_000, Time: 10 * time.Second})
		if bound, ok := errors.AsType[*lua.BoundError](err); ok && bound.Bound == "more than 10s" {
			t.Errorf("it took %s: %v", time.Since(began), err)
		}
	})
}
