package backup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/hegner123/modulagen/runtime/store/core"
)

// killWait is how long a program that was killed may hold its output open.
const killWait = 5 * time.Second

// maxSaid is how much of what a program writes to its standard error is kept.
const maxSaid = 4 << 10

// dumper is a program that dumps a database.
type dumper struct {
	program string // its path
	version string // as it says
	args    []string
	env     []string // beside this process's
	secrets []string // what no error may have
	extra   *os.File // the program's fourth file; nil: none
}

// look finds the first of several programs, or the one that Options name.
func look(given string, names []string, install string) (string, error) {
	if given != "" {
		path, err := exec.LookPath(given)
		if err != nil {
			return "", fmt.Errorf("%w: cron.Options.Backup.Dump: %w", ErrUnavailable, err)
		}
		return path, nil
	}
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("%w: %s is not in PATH; install %s, or name the program in cron.Options.Backup.Dump",
		ErrUnavailable, strings.Join(names, " or "), install)
}

// versionOf asks a program for its version.
func versionOf(ctx context.Context, program string) (string, error) {
	cmd := exec.CommandContext(ctx, program, "--version")
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	cmd.WaitDelay = killWait
	out, err := cmd.Output()
	if err != nil {
		if ctx.Err() != nil {
			return "", core.Ended(ctx)
		}
		return "", fmt.Errorf("%w: %s --version: %w", ErrUnavailable, program, err)
	}
	return strings.TrimSpace(string(out[:min(len(out), 200)])), nil
}

var number = regexp.MustCompile(`([0-9]+)[.0-9a-z]*`)

// major returns the first number of a version.
func major(version string) int {
	match := number.FindStringSubmatch(version)
	if match == nil {
		return 0
	}
	n, err := strconv.Atoi(match[1])
	if err != nil {
		return 0
	}
	return n
}

// dump runs the program, with a file as its standard output.
func (d *dumper) dump(ctx context.Context, to *os.File, server string) error {
	cmd := exec.CommandContext(ctx, d.program, d.args...)
	cmd.Env = append(os.Environ(), d.env...)
	cmd.Stdout = to
	said := &said{}
	cmd.Stderr = said
	cmd.WaitDelay = killWait
	if d.extra != nil {
		cmd.ExtraFiles = []*os.File{d.extra}
	}
	err := cmd.Run()
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return core.Ended(ctx)
	}
	if _, ok := errors.AsType[*exec.ExitError](err); !ok {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	text := said.String()
	for _, secret := range d.secrets {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "***")
		}
	}
	return fmt.Errorf("backup: %s (%s; the server is %s): %w: %s", d.program, d.version, server, err, text)
}

// said keeps the start of what a program says.
type said struct{ text []byte }

func (s *said) Write(p []byte) (int, error) {
	s.text = append(s.text, p[:min(len(p), maxSaid-len(s.text))]...)
	return len(p), nil
}

func (s *said) String() string {
	return strings.ToValidUTF8(strings.TrimSpace(string(s.text)), "\uFFFD")
}
