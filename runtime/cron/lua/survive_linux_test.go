//go:build linux && !race

package lua_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/hegner123/modulagen/runtime/cron/lua"
)

// child is set in a process of TestSurvives.
const child = "MODULAGEN_TEST_LUA_CHILD"

// room is how many bytes of address space a process of TestSurvives may use beyond what it has.
// Two runs at a time have bounds of 16 MiB each, and Go's collector lets garbage be as much.
const room = 160 << 20

// A process that may use little memory survives every hostile plugin, two at a time.
func TestSurvives(t *testing.T) {
	switch os.Getenv(child) {
	case "rows":
		limitMemory(t)
		survive(t)
		return
	case "control":
		limitMemory(t)
		kept := make([]byte, room)
		for i := 0; i < len(kept); i += 4096 {
			kept[i] = 1
		}
		runtime.KeepAlive(kept)
		return
	}
	for mode, dies := range map[string]bool{"rows": false, "control": true} {
		cmd := exec.Command(os.Args[0], "-test.run=^TestSurvives$", "-test.v")
		cmd.Env = append(os.Environ(), child+"="+mode)
		out, err := cmd.CombinedOutput()
		if dies != (err != nil) || dies != strings.Contains(string(out), "out of memory") {
			t.Errorf("%s: %v\n%.3000s", mode, err, out)
		}
	}
}

// limitMemory bounds the address space of this process.
func limitMemory(t *testing.T) {
	data, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	var pages uint64
	if _, err := fmt.Sscan(string(data), &pages); err != nil {
		t.Fatal(err)
	}
	most := pages*uint64(os.Getpagesize()) + room
	if err := syscall.Setrlimit(syscall.RLIMIT_AS, &syscall.Rlimit{Cur: most, Max: most}); err != nil {
		t.Fatal(err)
	}
}

// survive runs all rows that have a bound.
func survive(t *testing.T) {
	rows := make(chan string)
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for text := range rows {
				_, err := body(t.Context(), text, lua.Options{Instructions: 1_000_000, Memory: 16 << 20})
				if _, ok := errors.AsType[*lua.BoundError](err); !ok && err != nil {
					t.Errorf("%s: %v", text, err)
				}
			}
		})
	}
	for _, row := range hostile {
		if row.bound == memory || row.bound == oneString {
			rows <- row.body
		}
	}
	close(rows)
	wg.Wait()
}
