package main

import (
	"bufio"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/hegner123/modulagen/runtime/store/storetest"
)

// TestRollouts takes the stories of testdata/rollouts through their steps: programs of both versions run, side by
// side where the step between them lets them, and what the one leaves behind the other finds. Each line of `steps`
// is a command, and `want` is each with what it printed:
//
//	before WORDS  a line on the standard input of the program of before, which runs until `stop before`
//	after WORDS   the same of the program of now
//	migrate WORDS the tool's command on the database
func TestRollouts(t *testing.T) {
	for name, story := range stories(t, "rollouts") {
		t.Run(name, func(t *testing.T) {
			v := versionsOf(t, story)
			files := map[string]string{}
			for _, f := range story.Files {
				files[f.Name] = string(f.Data)
			}
			for _, kind := range []string{"sqlite", "postgres", "mysql"} {
				t.Run(kind, func(t *testing.T) {
					r := &rollout{versions: v, dsn: "sqlite:" + filepath.Join(t.TempDir(), "probe.db"), running: map[string]*conversation{}}
					if kind != "sqlite" {
						r.dsn = storetest.FreshDSN(t, kind)
					}
					var got strings.Builder
					for step := range strings.Lines(files["steps"]) {
						got.WriteString(step + r.step(t, strings.TrimSpace(step)))
					}
					if got.String() != files["want"] {
						t.Errorf("got\n%swant\n%s", got.String(), files["want"])
					}
				})
			}
		})
	}
}

var waiting = regexp.MustCompile(`\S+ waits until no program from before \S+ runs`)

// rollout is a story on one database.
type rollout struct {
	*versions
	dsn     string
	running map[string]*conversation
}

// step takes a step, and returns what it printed, indented.
func (r *rollout) step(t *testing.T, step string) string {
	t.Helper()
	who, words, _ := strings.Cut(step, " ")
	switch who {
	case "before", "after":
		if r.running[who] == nil {
			r.running[who] = r.start(t, who)
		}
		return r.running[who].say(t, words)
	case "stop":
		r.running[words].stop(t)
		delete(r.running, words)
		return ""
	case "migrate":
		out, err := r.run(binary, append(strings.Fields(step), "--db", r.dsn, "--no-backup")...)
		if line := waiting.FindString(out); line != "" { // what it waits for is behind the colon, with its announcement's end
			return printedOf(fmt.Sprintf("%s: %v", line, err))
		}
		if err == nil {
			return ""
		}
		if at := strings.Index(out, "with the id"); at >= 0 { // what is in front of it names the database
			why, _, _ := strings.Cut(out[at:], "\n")
			return printedOf(why + "\n")
		}
		return printedOf(out)
	}
	t.Fatalf("the step %q is none", step)
	return ""
}

// conversation is a program that is given a line at a time, and ends what it prints about one with the line "ok".
type conversation struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
}

func (r *rollout) start(t *testing.T, version string) *conversation {
	t.Helper()
	c := &conversation{cmd: exec.Command(filepath.Join(r.dir, version+".bin"), r.dsn)}
	c.cmd.Dir = r.dir
	var err error
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.out = bufio.NewScanner(out)
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if r.running[version] == c {
			c.stop(t)
		}
	})
	return c
}

func (c *conversation) say(t *testing.T, line string) string {
	t.Helper()
	if _, err := fmt.Fprintln(c.in, line); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for c.out.Scan() {
		if c.out.Text() == "ok" {
			return printedOf(out.String())
		}
		out.WriteString(c.out.Text() + "\n")
	}
	t.Fatalf("%q ended the program: %v\n%s", line, c.out.Err(), out.String())
	return ""
}

// stop ends the program, which its standard input does.
func (c *conversation) stop(t *testing.T) {
	t.Helper()
	if err := c.in.Close(); err != nil {
		t.Error(err)
	}
	if err := c.cmd.Wait(); err != nil {
		t.Error(err)
	}
}

func printedOf(text string) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		out.WriteString("  " + strings.TrimSuffix(line, "\n") + "\n")
	}
	return out.String()
}
