//go:build unix

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// process is a child of the supervisor. Its stdin is a pipe that ends with us.
type process struct {
	settings
	cmd   *exec.Cmd
	stdin io.Closer
	gone  chan struct{} // closed when it has ended

	mu      sync.Mutex
	aimed   bool // a signal of ours ends it: how it ends is no finding
	stopped bool
	asked   bool // to end, with SIGTERM: then its status has to be 0
}

// start runs this program again as a child. Its log goes into a file of logs.
func start(s settings) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	log, err := os.OpenFile(filepath.Join(s.Logs, s.Role+fmt.Sprintf("-%d.log", s.Slot)), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close() // the child has its own
	p := &process{settings: s, cmd: exec.Command(self), gone: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), childEnv+"="+string(text))
	p.cmd.Stderr = log
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	return p, p.cmd.Start()
}

// wait returns a finding when the process ended otherwise than it was made to.
func (p *process) wait() error {
	err := p.cmd.Wait()
	close(p.gone)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.aimed || err == nil {
		return nil
	}
	// SIGTERM kills what has not yet come so far as to listen for it.
	if status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus); ok && p.asked && status.Signal() == syscall.SIGTERM {
		return nil
	}
	return fmt.Errorf("%s ended by itself: %w", p.name(), err)
}

// kill ends the process at once. It gives false where it has ended already.
func (p *process) kill() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.aimed = true
	return p.cmd.Process.Kill() == nil
}

// stop freezes the process. It gives false when it is frozen already.
func (p *process) stop() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopped || p.asked || p.cmd.Process.Signal(syscall.SIGSTOP) != nil {
		return false
	}
	p.stopped = true
	return true
}

func (p *process) resume() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stopped = false
	_ = p.cmd.Process.Signal(syscall.SIGCONT)
}

// ask tells the process to end, and continues it so that it can.
func (p *process) ask() {
	p.mu.Lock()
	p.asked = true
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	p.mu.Unlock()
	p.resume()
}

func (p *process) wasAsked() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked
}

// patience is how long a process that was asked may take to end: its handlers
// have a lease's length, and what they do may wait for a stopped process's locks.
const patience = 20 * time.Second

// mustEnd waits for a process that was asked to end; one that does not is a
// finding, and is killed.
func (p *process) mustEnd() error {
	if p.endsWithin(patience) {
		return nil
	}
	p.kill()
	return fmt.Errorf("%s did not end within %s of SIGTERM", p.name(), patience)
}

// endsWithin reports whether the process has ended by then.
func (p *process) endsWithin(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-p.gone:
		return true
	case <-t.C:
		return false
	}
}

// hasEnded reports whether the process has ended.
func (p *process) hasEnded() bool {
	select {
	case <-p.gone:
		return true
	default:
		return false
	}
}
