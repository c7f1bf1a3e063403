//go:build unix

package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestInterruptedGenerateLeavesNothing presses Ctrl-C while copies of sqlc run.
func TestInterruptedGenerateLeavesNothing(t *testing.T) {
	project, tmp := t.TempDir(), t.TempDir()
	var queries strings.Builder
	for i := range 60 { // enough to last
		fmt.Fprintf(&queries, "-- name: Things%d :many\nSELECT title FROM thing WHERE id > %d;\n", i, i)
	}
	for name, text := range map[string]string{
		"datatypes/thing.yaml": "name: thing\nfields:\n  - {name: title, type: text, required: true}\n",
		"queries/things.sql":   queries.String(),
	} {
		path := filepath.Join(project, filepath.FromSlash(name))
		if err := os.Mkdir(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(binary, "generate")
	cmd.Dir = project
	cmd.Env = append(os.Environ(), "TMPDIR="+tmp, "MODULAGEN_CACHE=off")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	waitForSQLC(t, tmp, ended)
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	err := <-ended
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != exitFinding || stderr.String() != "modulagen: interrupted\n" {
		t.Errorf("ended with %v: %s", err, &stderr)
	}
	for _, dir := range []string{tmp, project} {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if e.Name() != "datatypes" && e.Name() != "queries" && !strings.HasSuffix(e.Name(), ".lock") {
				t.Errorf("%s was left behind", filepath.Join(dir, e.Name()))
			}
		}
	}
}

// waitForSQLC returns when a copy of sqlc has its folder.
func waitForSQLC(t *testing.T, tmp string, ended chan error) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		if found, _ := filepath.Glob(filepath.Join(tmp, "modulagen-sqlc-*", "chunk-*", "sqlc.json")); len(found) > 0 {
			return
		}
		select {
		case err := <-ended:
			t.Fatalf("ended before it was interrupted: %v", err)
		case <-tick.C:
		}
	}
}

// interruptWhen runs a command, interrupts it once it has printed something, and checks that it says so.
func interruptWhen(t *testing.T, dir, printed string, args ...string) {
	t.Helper()
	cmd := exec.Command(binary, args...)
	cmd.Dir = dir
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for scan := bufio.NewScanner(stderr); scan.Scan(); {
		lines = append(lines, scan.Text())
		if strings.Contains(scan.Text(), printed) {
			if err := cmd.Process.Signal(os.Interrupt); err != nil {
				t.Fatal(err)
			}
		}
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != exitFinding || lines[len(lines)-1] != "modulagen: interrupted" {
		t.Errorf("ended with %v: %s", err, strings.Join(lines, "\n"))
	}
}

// TestGenerateSurvivesAKill ends a run without warning, at many moments, and
// looks whether the next one makes the output whole.
func TestGenerateSurvivesAKill(t *testing.T) {
	project := t.TempDir()
	write := func(fields string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Join(project, "datatypes"), 0o755); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"apple", "pear", "plum"} {
			text := "name: " + name + "\nfields:\n  - {name: title, type: text, required: true}\n" + fields
			if err := os.WriteFile(filepath.Join(project, "datatypes", name+".yaml"), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	cache := t.TempDir()
	command := func(args ...string) *exec.Cmd {
		cmd := exec.Command(binary, args...)
		cmd.Dir = project
		cmd.Env = append(os.Environ(), "MODULAGEN_CACHE="+cache)
		return cmd
	}
	states := []string{"", "  - {name: subtitle, type: text}\n"}
	for _, s := range states { // fill the cache, so that the runs are short
		write(s)
		if out, err := command("generate").CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	for delay := time.Duration(0); delay < 60*time.Millisecond; delay += 3 * time.Millisecond {
		write(states[int(delay/(3*time.Millisecond))%2])
		cmd := command("generate")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		timer := time.AfterFunc(delay, func() { _ = cmd.Process.Signal(syscall.SIGKILL) })
		_ = cmd.Wait() // killed, or done before
		timer.Stop()
		if out, err := command("generate").CombinedOutput(); err != nil {
			t.Fatalf("after a kill at %v: %v\n%s", delay, err, out)
		}
		if out, err := command("check").CombinedOutput(); err != nil {
			t.Fatalf("after a kill at %v: %v\n%s", delay, err, out)
		}
	}
}
