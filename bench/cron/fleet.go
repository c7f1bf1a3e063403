package cron

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"time"
)

// WorkerCommand is the argument by which the benchmark's program becomes a process of a side, whose
// name follows. The environment has the servers.
const WorkerCommand = "cron-worker"

// Work is such a process, until its input ends.
func Work(ctx context.Context, name string, in io.Reader) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, in)
		cancel()
	}()
	for _, s := range sides {
		if s.name == name {
			return s.work(ctx, os.Getenv("MODULAGEN_POSTGRES_DSN"))
		}
	}
	return fmt.Errorf("cron: no side is called %q", name)
}

// fleet is the processes of a side.
type fleet struct {
	side   side
	dsn    string
	random *rand.Rand
	all    []*worker
	kills  int
}

// worker is a process as its parent sees it.
type worker struct {
	cmd     *exec.Cmd
	in      io.Closer
	trouble strings.Builder
}

func (f *fleet) begin(ctx context.Context) error {
	for range processes {
		w, err := f.start(ctx)
		if err != nil {
			return err
		}
		f.all = append(f.all, w)
	}
	return nil
}

func (f *fleet) start(ctx context.Context) (*worker, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	w := &worker{cmd: exec.CommandContext(ctx, self, WorkerCommand, f.side.name)}
	w.cmd.Env = append(os.Environ(), "MODULAGEN_POSTGRES_DSN="+f.dsn)
	w.cmd.Stderr = &w.trouble
	if w.in, err = w.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	return w, w.cmd.Start()
}

// suffer kills one of the processes again and again, and starts it again, until a moment.
func (f *fleet) suffer(ctx context.Context, end time.Time) error {
	for {
		apart := killsFrom + time.Duration(f.random.Int64N(int64(killsOver)))
		victim := f.random.IntN(len(f.all))
		if time.Now().Add(apart).After(end) {
			return nil
		}
		if err := sleep(ctx, apart); err != nil {
			return err
		}
		w := f.all[victim]
		if err := w.cmd.Process.Kill(); errors.Is(err, os.ErrProcessDone) {
			return fmt.Errorf("a process of %s ended by itself: %s", f.side.name, w.trouble.String())
		}
		w.wait()
		f.kills++
		var err error
		if f.all[victim], err = f.start(ctx); err != nil {
			return err
		}
	}
}

// wait waits for the end of a killed process, whose error is that it was killed.
func (w *worker) wait() { _ = w.cmd.Wait() }

func (f *fleet) end() {
	for _, w := range f.all {
		_ = w.cmd.Process.Kill() // it may have ended
		w.wait()
	}
}
