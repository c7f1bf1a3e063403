package queue

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// WorkerCommand is the first argument of a program that is to be a worker.
const WorkerCommand = "queue-worker"

// order tells a worker process what to be; it is the first line of its input.
type order struct {
	Name, DB string
	Place    place
	Jobs     int // their starts are remembered
}

// The lines that follow, each answered with one line of JSON. The end of the
// input ends the worker.
const (
	askUsage  = "usage"  // processor time so far, of this process, in microseconds
	askStarts = "starts" // startsAnswer
)

// starts remembers when each job started, by the clock of the machine, which
// both processes read.
type starts struct {
	at    []atomic.Int64 // nanoseconds since 1970; 0: it has not started
	twice atomic.Int64
}

type startsAnswer struct {
	At    []int64
	Twice int64
}

func newStarts(jobs int) *starts { return &starts{at: make([]atomic.Int64, jobs)} }

func (s *starts) handle(n int) {
	if n < 0 || n >= len(s.at) || !s.at[n].CompareAndSwap(0, time.Now().UnixNano()) {
		s.twice.Add(1)
	}
}

func (s *starts) answer() startsAnswer {
	out := startsAnswer{At: make([]int64, len(s.at)), Twice: s.twice.Load()}
	for i := range s.at {
		out.At[i] = s.at[i].Load()
	}
	return out
}

// Work is a worker process from its beginning to its end.
func Work(ctx context.Context, in io.Reader, out io.Writer) (err error) {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<20)
	if !lines.Scan() {
		return errors.New("queue: a worker process without an order")
	}
	var o order
	if err := json.Unmarshal(lines.Bytes(), &o); err != nil {
		return err
	}
	s, err := find(o.DB, o.Name).open(ctx, o.Place)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	seen := newStarts(o.Jobs)
	stop, err := s.Work(ctx, seen.handle)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	answer := json.NewEncoder(out)
	if err := answer.Encode("ready"); err != nil {
		return err
	}
	for lines.Scan() {
		var reply any
		switch lines.Text() {
		case askUsage:
			reply = processorTime()
		case askStarts:
			reply = seen.answer()
		}
		if err := answer.Encode(reply); err != nil {
			return err
		}
	}
	return lines.Err()
}

// processorTime is what this process took so far, in microseconds.
func processorTime() int64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return (usage.Utime.Nano() + usage.Stime.Nano()) / 1000
}

// process is a worker process as its parent sees it.
type process struct {
	cmd     *exec.Cmd
	in      io.WriteCloser
	out     *json.Decoder
	trouble strings.Builder
}

// startProcess returns when the worker works.
func startProcess(ctx context.Context, o opener, at place, jobs int) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &process{cmd: exec.CommandContext(ctx, self, WorkerCommand)}
	p.cmd.Stderr = &p.trouble
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.out = json.NewDecoder(out)
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	if err := json.NewEncoder(p.in).Encode(order{o.name, o.db, at, jobs}); err != nil {
		return nil, errors.Join(err, p.stop())
	}
	var ready string
	if err := p.out.Decode(&ready); err != nil {
		return nil, errors.Join(err, p.stop())
	}
	return p, nil
}

func (p *process) ask(question string, answer any) error {
	if _, err := fmt.Fprintln(p.in, question); err != nil {
		return err
	}
	return p.out.Decode(answer)
}

func (p *process) stop() error {
	p.in.Close() // its end tells the worker to stop
	if err := p.cmd.Wait(); err != nil {
		return fmt.Errorf("worker process: %w\n%s", err, p.trouble.String())
	}
	return nil
}
