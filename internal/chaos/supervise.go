//go:build unix

package main

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hegner123/modulagen/internal/chaos/generated"
)

// run is what one run is told.
type run struct {
	DSN       string
	Seed      uint64
	For       time.Duration // killing; draining comes after it
	Jobs      int
	Least     int     // of those, committed under fire before it ends, within 20 times For; 0: For alone decides
	Rate      float64 // jobs that are enqueued in a second; 0: so many that they flow most of the time
	Server    *server // nil: it is not killed
	Workers   int
	Enqueuers int
	Lease     time.Duration
	Logs      string        // a folder for the processes' logs and diaries
	Drain     time.Duration // at most
}

// hits counts what was done to the processes, to their connections and to the
// server.
type hits struct {
	Killed         atomic.Int64
	Stopped, Asked int
	Faults         int // of the network, those below included
	Reset          int // connections that were reset or half closed
	Swallowed      int // connections whose bytes disappeared
	InCommit       int // connections that died in a COMMIT
	Restarts       int // of the server
}

// supervisor keeps its processes running, and hits them.
type supervisor struct {
	run
	reader  *reader
	network *network
	dsns    []string   // for each process
	rand    *rand.Rand // of the decisions alone, in the order made
	hits    hits
	seen    int // jobs that were committed or had ended at the last hit

	mu        sync.Mutex
	processes []*process // one for each slot; that of an enqueuer may have ended
	flowing   bool       // enqueuers that are killed start again
	working   bool       // workers that end start again
	findings  []error
	watchers  sync.WaitGroup // of the processes
	later     sync.WaitGroup // what will still happen to stopped processes
}

// result is what a run came to.
type result struct {
	counts
	Hits       *hits
	Violations []violation
	Findings   []error // what processes did that they should not
	Samples    int     // looks at what must not be seen at any moment
	Flow       time.Duration
	Drained    time.Duration
}

// supervise makes the tables, lets the processes run under fire, lets the queue
// drain, and proves. The error is of the supervisor itself.
func (r run) supervise(ctx context.Context) (result, error) {
	if err := makeTables(ctx, r.DSN); err != nil {
		return result{}, err
	}
	reader, err := openReader(r.DSN)
	if err != nil {
		return result{}, err
	}
	defer reader.Close()
	network, dsns, err := connect(r.DSN, r.Workers+r.Enqueuers)
	if err != nil {
		return result{}, err
	}
	defer network.close()
	s := &supervisor{
		run: r, reader: reader, network: network, dsns: dsns,
		rand: rand.New(rand.NewPCG(r.Seed, 0)), flowing: true, working: true,
	}
	defer s.killAll()
	look := &sampler{reader: reader}
	looking, stop := context.WithCancel(ctx)
	var looks sync.WaitGroup
	looks.Go(func() { look.run(looking) })
	out, err := s.burn(ctx)
	stop()
	looks.Wait()
	if err != nil {
		return result{}, err
	}
	var e *evidence
	err = persist(ctx, func(ctx context.Context) error {
		e, err = collect(ctx, reader, r.Logs)
		return err
	})
	if err != nil {
		return result{}, err
	}
	out.counts, out.Violations = prove(e)
	out.Samples, out.Violations = look.samples, append(look.found, out.Violations...)
	out.Findings = s.found()
	return out, nil
}

// found returns what went wrong with processes so far.
func (s *supervisor) found() []error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.findings)
}

func makeTables(ctx context.Context, dsn string) error {
	db, err := generated.Open(ctx, dsn, generated.Options{MaxConns: 2})
	if err != nil {
		return err
	}
	defer db.Close()
	return record(ctx, db.Store())
}

// burn runs the processes under fire, and then without until the queue is empty.
func (s *supervisor) burn(ctx context.Context) (result, error) {
	begin := time.Now()
	if err := s.startAll(begin); err != nil {
		return result{}, err
	}
	if err := s.fire(ctx, begin.Add(s.For)); err != nil {
		return result{}, err
	}
	out := result{Hits: &s.hits, Flow: time.Since(begin)}
	begin = time.Now()
	err := s.drain(ctx)
	out.Drained = time.Since(begin)
	s.hits.Swallowed, s.hits.InCommit = s.network.cuts()
	return out, err
}

func (s *supervisor) startAll(begin time.Time) error {
	s.processes = make([]*process, s.Workers+s.Enqueuers)
	for i := range s.processes {
		c := settings{
			Role: roleWorker, Slot: i + 1, Generation: 1, DSN: s.dsns[i], Logs: s.Logs, Seed: s.Seed, Lease: s.Lease,
			Jobs: s.Jobs, Start: begin, Rate: cmp.Or(s.Rate, float64(s.Jobs)/(0.7*s.For.Seconds())),
		}
		if i >= s.Workers {
			c.Role, c.Slot = roleEnqueuer, i-s.Workers+1
		}
		if err := s.start(i, c); err != nil {
			return err
		}
	}
	return nil
}

// start starts one process, and the next of its slot when that has ended.
func (s *supervisor) start(i int, c settings) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, err := start(c)
	if err != nil {
		return err
	}
	s.processes[i] = p
	s.watchers.Go(func() { s.watch(i, p) })
	return nil
}

func (s *supervisor) watch(i int, p *process) {
	err := p.wait()
	s.finding(err)
	s.mu.Lock()
	again := s.working
	if p.Role == roleEnqueuer {
		again = s.flowing && (p.wasAsked() || !p.cmd.ProcessState.Success()) // else it has enqueued enough
	}
	s.mu.Unlock()
	if again {
		c := p.settings
		c.Generation++
		s.finding(s.start(i, c))
	}
}

// finding notes what went wrong with a process; nil is nothing.
func (s *supervisor) finding(err error) {
	if err == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.findings = append(s.findings, err)
}

// fire hits processes until the time is over or everything has been done.
func (s *supervisor) fire(ctx context.Context, until time.Time) error {
	killed := time.Now() // the server, or so it counts
	for {
		pause := 50*time.Millisecond + time.Duration(s.rand.Int64N(int64(500*time.Millisecond)))
		target, how, fault := s.rand.IntN(len(s.processes)), s.rand.IntN(100), s.rand.IntN(2*networkFaults)
		// Others have a stopped process's jobs after one lease or two. For a long
		// time it comes back when they have ended, for a shorter one while they run.
		frozen := 3*s.Lease + time.Duration(s.rand.Int64N(int64(s.Lease)))
		if s.rand.IntN(2) == 0 {
			frozen /= 2
		}
		if time.Now().Add(pause).After(until) {
			if enough, err := s.enough(ctx); enough || err != nil || time.Since(until) > 20*s.For {
				return err
			}
		}
		rest(ctx, pause)
		if err := s.progress(ctx); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		switch {
		case s.Server != nil && time.Since(killed) > s.For/4: // some restarts in every run
			if err := s.restart(ctx); err != nil {
				return err
			}
			killed = time.Now()
		case len(s.network.proxies) == 0:
			s.hit(target, how, frozen)
		case how < 45:
			s.hit(target, how*100/45, frozen)
		default:
			s.fault(target, fault, frozen)
		}
		if all, err := s.allDone(ctx); all || err != nil {
			return err
		}
	}
}

// enough reports whether the fire may end after its time: not before enough was
// committed under it.
func (s *supervisor) enough(ctx context.Context) (enough bool, err error) {
	if s.Least == 0 {
		return true, nil
	}
	err = persist(ctx, func(ctx context.Context) error {
		jobs, err := s.reader.count(ctx, "SELECT COUNT(*) FROM enqueued")
		if err != nil {
			return err
		}
		kinds, err := s.reader.count(ctx, "SELECT COUNT(DISTINCT job_type) FROM task")
		enough = jobs >= s.Least && kinds == kindsOfTasks && s.hits.Killed.Load() > 0
		return err
	})
	return enough, err
}

// progress waits, with Least, until something was committed since the hit before,
// while there is something to commit: on a machine on which a process takes longer
// to start than it is left alone, none would get anything done. Faults that overlap
// may stop all of them: it waits ten seconds at most.
func (s *supervisor) progress(ctx context.Context) error {
	if s.Least == 0 {
		return nil
	}
	for end := time.Now().Add(10 * time.Second); ctx.Err() == nil && time.Now().Before(end); rest(ctx, 20*time.Millisecond) {
		jobs, done := 0, 0
		err := persist(ctx, func(ctx context.Context) (err error) {
			if jobs, err = s.reader.count(ctx, "SELECT COUNT(*) FROM enqueued"); err != nil {
				return err
			}
			done, err = s.reader.count(ctx, "SELECT COUNT(*) FROM job WHERE state NOT IN ('ready', 'running')")
			return err
		})
		if err != nil {
			return err
		}
		if jobs+done != s.seen || jobs >= s.Jobs {
			s.seen = jobs + done
			return nil
		}
	}
	return nil
}

// fault breaks one process's network for a time. Half of the commits that are cut
// are those of enqueuers, which are few among the processes.
func (s *supervisor) fault(target, how int, d time.Duration) {
	if how >= networkFaults && how%networkFaults >= firstCut {
		target = s.Workers + target%s.Enqueuers
	}
	closed, end := s.network.fault(target, how%networkFaults)
	s.hits.Faults++
	s.hits.Reset += closed
	s.later.Go(func() {
		rest(context.Background(), d)
		end()
	})
}

// restart kills the server; processes are hit again when it is back.
func (s *supervisor) restart(ctx context.Context) error {
	if err := s.Server.kill(); err != nil {
		return fmt.Errorf("kill the server: %w", err)
	}
	s.hits.Restarts++
	return s.Server.back(ctx, s.reader)
}

// hit does one thing to one process, or to all.
func (s *supervisor) hit(target, how int, frozen time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.processes[target]
	switch {
	case how < 60:
		s.kill(p)
	case how < 75:
		s.freeze(p, frozen, func() { p.resume() })
	case how < 80: // and it dies before it wakes
		s.freeze(p, frozen, func() { s.kill(p) })
	case how < 95:
		s.hits.Asked++
		p.ask()
		s.later.Go(func() { s.finding(p.mustEnd()) })
	default: // the machine fails
		for _, p := range s.processes {
			s.kill(p)
		}
	}
}

func (s *supervisor) kill(p *process) {
	if p.kill() {
		s.hits.Killed.Add(1)
	}
}

// freeze stops a process, and does something to it afterwards.
func (s *supervisor) freeze(p *process, d time.Duration, then func()) {
	if !p.stop() {
		return
	}
	s.hits.Stopped++
	s.later.Go(func() {
		p.endsWithin(d)
		then()
	})
}

// allDone reports whether all jobs have been committed and have ended.
func (s *supervisor) allDone(ctx context.Context) (all bool, err error) {
	err = persist(ctx, func(ctx context.Context) error {
		n, err := s.reader.count(ctx, "SELECT COUNT(*) FROM enqueued")
		if err != nil || n < s.Jobs {
			return err
		}
		all, err = s.idle(ctx)
		return err
	})
	return all, err
}

func (s *supervisor) idle(ctx context.Context) (bool, error) {
	for _, table := range tables {
		n, err := s.reader.count(ctx, "SELECT COUNT(*) FROM "+table+" WHERE state IN ('ready', 'running')")
		if err != nil || n > 0 {
			return false, err
		}
	}
	return true, nil
}

// drain ends the enqueuers, lets the workers work in peace until nothing is
// left, and ends them too.
func (s *supervisor) drain(ctx context.Context) error {
	s.later.Wait()
	s.network.heal()
	s.mu.Lock()
	s.flowing = false
	enqueuers := slices.Clone(s.processes[s.Workers:])
	s.mu.Unlock()
	s.end(enqueuers)
	for end := time.Now().Add(s.Drain); ; rest(ctx, 100*time.Millisecond) {
		idle, err := s.idle(ctx)
		if err != nil || ctx.Err() != nil {
			return cmp.Or(err, context.Cause(ctx))
		}
		if !idle && time.Now().Before(end) {
			continue
		}
		if !idle {
			s.finding(fmt.Errorf("the queue did not drain within %s", s.Drain))
		}
		s.mu.Lock()
		s.working = false
		workers := slices.Clone(s.processes[:s.Workers])
		s.mu.Unlock()
		s.end(workers)
		return nil
	}
}

// end asks processes to end, and waits until they have.
func (s *supervisor) end(all []*process) {
	for _, p := range all {
		p.ask()
	}
	for _, p := range all {
		s.finding(p.mustEnd())
	}
}

// killAll leaves no process behind.
func (s *supervisor) killAll() {
	s.mu.Lock()
	s.flowing, s.working = false, false
	for _, p := range s.processes {
		if p != nil {
			p.kill()
		}
	}
	s.mu.Unlock()
	s.later.Wait()
	s.watchers.Wait()
}
