package lua_test

import (
	"testing"

	"github.com/hegner123/modulagen/runtime/cron/project"
)

// BenchmarkRun is what a run costs that does next to nothing, and one of a loop.
func BenchmarkRun(b *testing.B) {
	a, err := plugin("function empty() end function loop() local n = 0 for i = 1, 100000 do n = n + i % 7 end return n end function fields() local t = {} for i = 1, 10000 do t[i % 100] = i t.x = i end end function text() local s = '' for i = 1, 1000 do s = s .. 'x' end end").Provide(&project.Project{}, nil)
	if err != nil {
		b.Fatal(err)
	}
	for _, function := range []string{"empty", "loop", "fields", "text"} {
		b.Run(function, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := run(b.Context(), a, `{"plugin_name": "p", "function": "`+function+`"}`); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
