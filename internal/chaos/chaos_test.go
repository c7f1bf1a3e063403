//go:build unix

package main

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/store/storetest"
)

// The test's own program is what its supervisor starts.
func TestMain(m *testing.M) {
	if text := os.Getenv(childEnv); text != "" {
		os.Exit(child(text))
	}
	os.Exit(m.Run())
}

// The run of `make chaos`, shortened.
func TestChaos(t *testing.T) {
	seed, err := number("CHAOS_SEED", rand.Uint64()>>11)
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"sqlite", "postgres", "mysql"} {
		t.Run(kind, func(t *testing.T) {
			logs := t.TempDir()
			dsn := "sqlite:" + filepath.Join(logs, "chaos.db")
			if kind != "sqlite" {
				dsn = storetest.FreshDSN(t, kind)
			}
			t.Parallel()
			r := run{
				DSN: dsn, Seed: seed, For: 15 * time.Second, Jobs: 300, Least: 60, Rate: 80, // it ends when all are done
				Workers: 3, Enqueuers: 2, Lease: 500 * time.Millisecond, Logs: logs, Drain: 3 * time.Minute,
			}
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
			// A run in which nothing happened proves nothing. (Whether a kill finds a
			// process at work is chance, so lost leases may be few.)
			happened := map[string]int{
				"kills": int(out.Hits.Killed.Load()), "acknowledged transactions": out.Acked, "jobs under limits": out.Tasks,
				"starts under a rate": out.Paced, "looks": out.Samples, "jobs completed in a transaction": out.Inside,
			}
			if kind != "sqlite" {
				happened["faults of the network"] = out.Hits.Faults
			}
			if out.Committed > r.Jobs/2 { // each is the plan of a few in a hundred
				happened["failures"], happened["snoozes"], happened["transactions rolled back"] = out.Failed, out.Snoozed, out.Abandoned
			}
			for what, n := range happened {
				if n == 0 {
					t.Errorf("there were no %s", what)
				}
			}
			if out.Committed < r.Least {
				t.Errorf("%d of %d jobs were committed, want at least %d", out.Committed, r.Jobs, r.Least)
			}
		})
	}
}

// showLogs shows what the processes had to say, as far as that fits: the last
// lines of each, and what the race detector has found.
func showLogs(t *testing.T, folder string) {
	files, err := filepath.Glob(filepath.Join(folder, "*.log"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var kept []string
		for line := range strings.Lines(string(text)) {
			if !strings.Contains(line, "as planned") {
				kept = append(kept, line)
			}
		}
		t.Logf("%s:\n%s", filepath.Base(file), strings.Join(kept[max(0, len(kept)-40):], ""))
		if at := strings.Index(string(text), "WARNING: DATA RACE"); at >= 0 {
			race, _, _ := strings.Cut(string(text[at:]), "\n==================\n")
			t.Logf("%s:\n%s", filepath.Base(file), race)
		}
	}
}
