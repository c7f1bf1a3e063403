package schedule_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/cron/schedule"
)

func TestLocation(t *testing.T) {
	for name, want := range map[string]string{
		"UTC": "", "Europe/Paris": "", "America/Argentina/Buenos_Aires": "", "Etc/GMT-2": "", "EST5EDT": "", "CET": "",
		"":             "the time zone has no name",
		"Local":        `the time zone "Local" would be another one on each machine`,
		"localtime":    `the time zone "localtime" would be another one on each machine`,
		"europe/paris": `there is no time zone "europe/paris"`,
		"utc":          `there is no time zone "utc"`,
		"Nowhere":      `there is no time zone "Nowhere"`,
		"../UTC":       `there is no time zone "../UTC"`,
	} {
		loc, err := schedule.Location(name)
		if want == "" {
			if err != nil || loc.String() != name {
				t.Errorf("%s: %v, %v", name, loc, err)
			}
			continue
		}
		e, ok := errors.AsType[*schedule.ParseError](err)
		if !ok || e.Problem != want || e.Hint == "" {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// Every name that is offered can be used.
func TestZones(t *testing.T) {
	names := schedule.Zones()
	if len(names) < 590 {
		t.Errorf("%d zones", len(names))
	}
	for _, name := range names {
		if _, err := schedule.Location(name); err != nil {
			t.Error(err)
		}
	}
}

// A machine without time zones, as many images of containers are: nothing becomes UTC silently.
func TestMachineWithoutZones(t *testing.T) {
	const child = "SCHEDULE_TEST_WITHOUT_ZONES"
	if os.Getenv(child) != "" {
		s, err := schedule.Parse("CRON_TZ=America/New_York 0 2 * * *", schedule.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Next(time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)); got.UTC().Hour() != 6 {
			t.Fatalf("%v", got)
		}
		if _, err := schedule.Location("Moon/Base"); err == nil {
			t.Fatal("a zone that is not there is one")
		}
		return
	}
	nothing := filepath.Join(t.TempDir(), "nothing")
	cmd := exec.Command(os.Args[0], "-test.run=^TestMachineWithoutZones$")
	cmd.Env = append(os.Environ(), child+"=1", "ZONEINFO="+nothing, "GOROOT="+nothing)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	// This machine has zones in /usr/share too, where another may have none.
	out, err := exec.Command("go", "list", "-deps", ".").Output()
	if err != nil || !slices.Contains(strings.Fields(string(out)), "time/tzdata") {
		t.Errorf("time/tzdata is not linked (%v)", err)
	}
}
