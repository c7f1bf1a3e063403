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

// Workers that send mail are killed and frozen at each step of SMTP: every message is accepted once, or
// its row is unknown. It is the run of `make chaos`, shortened.
func TestMail(t *testing.T) {
	seed, err := number("CHAOS_SEED", rand.Uint64()>>11)
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"sqlite", "postgres", "mysql"} {
		t.Run(kind, func(t *testing.T) {
			logs := t.TempDir()
			dsn := "sqlite:" + filepath.Join(logs, "mail.db")
			if kind != "sqlite" {
				dsn = storetest.FreshDSN(t, kind)
			}
			t.Parallel()
			r := mailRun{DSN: dsn, Seed: seed, Messages: 400, Kills: 5, Freezes: 2, Workers: 2, Lease: 500 * time.Millisecond, Logs: logs, Drain: time.Minute}
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
			// A process that is hit leaves unknown what it sends and what waits behind that; one that is frozen
			// with the lock of a SQLite file costs the others their leases too.
			if most := (r.Kills + r.Freezes*r.Workers) * 12 * connectionsOfMailer; out.Messages != r.Messages || out.Killed != r.Kills || out.Unknown > most {
				t.Errorf("%d messages, %d processes killed, %d unknown; want %d, %d, at most %d", out.Messages, out.Killed, out.Unknown, r.Messages, r.Kills, most)
			}
		})
	}
}
