//go:build unix

package main

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// crew are the processes of a run: each slot has one, and the next when that has ended.
type crew struct {
	killed, frozen atomic.Int64

	mu        sync.Mutex
	processes map[string]*process // by their hosts; those that have ended too
	ending    bool                // those that end do not start again
	findings  []error
	watchers  sync.WaitGroup
	later     sync.WaitGroup // what will still happen to frozen processes
}

func newCrew() *crew { return &crew{processes: map[string]*process{}} }

// strike kills a process, and returns when it has ended; or freezes it for a time.
func (w *crew) strike(p *process, freeze bool, long time.Duration) {
	if !freeze {
		if p.kill() {
			w.killed.Add(1)
			<-p.gone
		}
		return
	}
	if p.stop() {
		w.frozen.Add(1)
		w.later.Go(func() {
			p.endsWithin(long)
			p.resume()
		})
	}
}

// end asks the processes to end, and waits for them.
func (w *crew) end() {
	w.later.Wait()
	w.mu.Lock()
	w.ending = true
	w.mu.Unlock()
	for _, p := range w.all() {
		p.ask()
	}
	for _, p := range w.all() {
		w.finding(p.mustEnd())
	}
	w.watchers.Wait()
}

// start starts a process, and the next of its slot when that has ended.
func (w *crew) start(c settings) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ending {
		return nil
	}
	p, err := start(c)
	if err != nil {
		return err
	}
	w.processes[c.host()] = p
	w.watchers.Go(func() {
		w.finding(p.wait())
		c.Generation++
		w.finding(w.start(c))
	})
	return nil
}

// finding notes what went wrong; nil is nothing.
func (w *crew) finding(err error) {
	if err == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.findings = append(w.findings, err)
}

// all returns every process that was started.
func (w *crew) all() (out []*process) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range w.processes {
		out = append(out, p)
	}
	return out
}

// killAll leaves no process behind.
func (w *crew) killAll() {
	w.mu.Lock()
	w.ending = true
	w.mu.Unlock()
	for _, p := range w.all() {
		p.kill()
	}
	w.later.Wait()
	w.watchers.Wait()
}

// found returns what went wrong with processes so far.
func (w *crew) found() []error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.findings)
}
