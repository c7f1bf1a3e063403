//go:build unix

package main

import (
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/store/storetest"
)

// Processes that fire schedules are killed and frozen while jobs are changed: each instant has one run,
// no action begins twice, and jobs show what their runs did. It is the run of `make chaos`, shortened.
func TestCron(t *testing.T) {
	seed, err := number("CHAOS_SEED", rand.Uint64()>>11)
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"sqlite", "postgres", "mysql"} {
		t.Run(kind, func(t *testing.T) {
			logs := t.TempDir()
			dsn := "sqlite:" + filepath.Join(logs, "cron.db")
			if kind != "sqlite" {
				dsn = storetest.FreshDSN(t, kind)
			}
			t.Parallel()
			r := cronRun{DSN: dsn, Seed: seed, For: 5 * time.Second, Kills: 3, Freezes: 2, Changes: 20, Workers: 3, Lease: 500 * time.Millisecond, Logs: logs, Drain: time.Minute}
			out, err := r.supervise(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var text strings.Builder
			out.print(&text)
			t.Logf("seed %d (CHAOS_SEED replays it)\n%s", seed, text.String())
			if out.broken() {
				t.Error("promises were broken")
				showLogs(t, logs)
			}
			if out.Instants == 0 || out.Acts == 0 || out.Killed == 0 {
				t.Errorf("%d instants, %d actions, %d processes killed: this proves nothing", out.Instants, out.Acts, out.Killed)
			}
		})
	}
}
