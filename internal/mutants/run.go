package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// outcomes of an entry.
const (
	noticed    = "noticed"
	notNoticed = "not noticed"
	notGo      = "does not compile"
	stale      = "stale"
	notRun     = "not run"
)

// outcome is what came of one entry.
type outcome struct {
	mutant
	result string
	detail string // why it is stale or was not run
	took   time.Duration
	output string // of go test
}

// runner runs tests on broken files.
type runner struct {
	root    string // absolute
	scratch string // for overlays
	timeout time.Duration
	whole   map[string]verdict // of unbroken tests, by arguments
}

// verdict is what one go test came to.
type verdict struct {
	passed  bool
	built   bool
	nothing bool // no test ran, or each was skipped
	output  string
}

// try breaks the file and runs the test of an entry.
func (r *runner) try(ctx context.Context, m mutant) (out outcome, err error) {
	out = outcome{mutant: m, result: stale}
	begin := time.Now()
	defer func() { out.took = time.Since(begin) }()
	if err := m.check(r.root); err != nil {
		out.detail = err.Error()
		return out, nil
	}
	for _, need := range m.Needs {
		if os.Getenv(servers[need]) == "" {
			out.result, out.detail = notRun, servers[need]+" is not set"
			return out, nil
		}
	}
	whole, err := r.unbroken(ctx, m)
	if err != nil {
		return out, err
	}
	if !whole.passed || whole.nothing {
		out.output, out.detail = whole.output, "its test fails without the break as well"
		if whole.passed {
			out.detail = "its test runs nothing, or skips"
		}
		return out, nil
	}
	overlay, err := r.overlay(m)
	if err != nil {
		return out, err
	}
	broken, err := r.test(ctx, m, overlay)
	if err != nil {
		return out, err
	}
	out.output = broken.output
	switch {
	case !broken.built:
		out.result = notGo
	case broken.passed:
		out.result = notNoticed
	default:
		out.result = noticed
	}
	return out, nil
}

// unbroken runs the entry's test on the tree as it is, once for all entries
// that name the same.
func (r *runner) unbroken(ctx context.Context, m mutant) (verdict, error) {
	key := strings.Join(append(slices.Clone(m.Test), m.Needs...), "\x00")
	if v, known := r.whole[key]; known {
		return v, nil
	}
	v, err := r.test(ctx, m, "")
	if err == nil {
		r.whole[key] = v
	}
	return v, err
}

// overlay writes the broken file and go's description of where it belongs.
func (r *runner) overlay(m mutant) (string, error) {
	text, err := m.broken(r.root)
	if err != nil {
		return "", err
	}
	file := filepath.Join(r.scratch, filepath.Base(m.File))
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return "", err
	}
	description, err := json.Marshal(map[string]any{
		"Replace": map[string]string{filepath.Join(r.root, filepath.FromSlash(m.File)): file},
	})
	if err != nil {
		return "", err
	}
	path := filepath.Join(r.scratch, "overlay.json")
	return path, os.WriteFile(path, description, 0o600)
}

var buildFailed = regexp.MustCompile(`(?m)^FAIL\t\S+ \[(build|setup) failed\]$`)

// test runs go test. Its overlay is in GOFLAGS, so that what a test builds by
// itself is broken as well.
func (r *runner) test(ctx context.Context, m mutant, overlay string) (verdict, error) {
	// Compiling comes on top of the test's own time.
	ctx, cancel := context.WithTimeout(ctx, r.timeout+20*time.Minute)
	defer cancel()
	args := append([]string{"test", "-count=1", "-vet=off", "-v", "-timeout=" + r.timeout.String()}, m.Test...)
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir, cmd.Env = r.root, m.environment(overlay)
	cmd.WaitDelay = 10 * time.Second
	text, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		return verdict{}, context.Cause(ctx)
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) && !errors.Is(err, exec.ErrWaitDelay) {
		return verdict{}, err
	}
	return verdict{
		passed: err == nil, built: !buildFailed.Match(text), nothing: !ran(text, m.depth()), output: string(text),
	}, nil
}

// environment is ours without the servers that the entry does not need: its
// test has to notice without them.
func (m mutant) environment(overlay string) []string {
	env := slices.DeleteFunc(os.Environ(), func(pair string) bool {
		name, _, _ := strings.Cut(pair, "=")
		for server, variable := range servers {
			if name == variable && !slices.Contains(m.Needs, server) {
				return true
			}
		}
		return name == "MODULAGEN_REQUIRE_SERVICES"
	})
	if overlay != "" {
		env = append(env, strings.TrimSpace("GOFLAGS="+os.Getenv("GOFLAGS")+" -overlay="+overlay))
	}
	return env
}
