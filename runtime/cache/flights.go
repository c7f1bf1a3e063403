package cache

import (
	"context"
	"runtime/debug"
	"sync"
	"time"

	"github.com/hegner123/modulagen/runtime/cache/backend"
)

// flights are the loads of one process, one for each key.
//
// Who asks for a key while it is loaded joins the flight, unless the key was
// invalidated since the flight began: the value may be from before that. An
// invalidation of this process detaches the flight before it returns: a caller that had
// joined by then asked before it did, and may have the value. One of another
// process is noticed late. Who joined a flight that was running already then goes
// on to the next one when the invalidation is read; and when the flight ends
// first, because its lease turns out to be lost.
type flights[V any] struct {
	mu         sync.Mutex
	byHash     map[uint64]*flight[V] // by the hash of the key, which is checked
	background map[string]bool
	begun      uint64          // how many flights have begun
	joined     *backend.Memory // the invalidator holds it weakly
}

// flight is one value that several may wait for.
type flight[V any] struct {
	key     string
	number  uint64 // in the order of their beginnings
	result  result[V]
	lost    bool // the lease was lost: something was invalidated while it ran
	local   bool // this process has invalidated it
	done    chan struct{}
	passed  chan struct{} // closed when another process has invalidated it
	waiters int
	cancel  context.CancelFunc
}

func (s *flights[V]) init(invalidator *backend.Invalidator) {
	s.byHash, s.background = map[uint64]*flight[V]{}, map[string]bool{}
	s.joined = &backend.Memory{
		Forget:          func(hash uint64) { s.detach(hash, false) },
		ForgetAll:       func() { s.detachAll(false) },
		ForgetRemote:    func(hash uint64) { s.detach(hash, true) },
		ForgetAllRemote: func() { s.detachAll(true) },
	}
	invalidator.Join(s.joined)
}

// join waits for the flight of a key, and starts it when there is none that may
// be joined. The flight goes on while anyone waits for it.
func (s *flights[V]) join(ctx context.Context, p *fetchCall[V]) (V, error) {
	s.mu.Lock()
	asked := s.begun // flights with a greater number began after the question
	for {
		f := s.byHash[p.hash]
		if f == nil || f.key != p.key {
			f = s.start(ctx, p)
		}
		f.waiters++
		s.mu.Unlock()
		passed := f.passed
		if f.number > asked {
			passed = nil // it began late enough, whatever was invalidated
		}
		select {
		case <-f.done:
			if f.number > asked || f.local || !f.lost {
				return f.result.value, f.result.err
			}
			s.mu.Lock()
			continue
		case <-passed:
			s.leave(f)
			s.mu.Lock()
			continue
		case <-ctx.Done():
			s.leave(f)
			var none V
			return none, context.Cause(ctx)
		}
	}
}

// start begins a flight, in place of one that is detached by it. s is locked.
func (s *flights[V]) start(ctx context.Context, p *fetchCall[V]) *flight[V] {
	flying, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s.begun++
	f := &flight[V]{key: p.key, number: s.begun, done: make(chan struct{}), passed: make(chan struct{}), cancel: cancel}
	s.byHash[p.hash] = f
	go s.fly(flying, f, p)
	return f
}

// leave is for a waiter who waits no more. A flight that no one waits for ends.
func (s *flights[V]) leave(f *flight[V]) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f.waiters--; f.waiters == 0 {
		f.cancel()
		s.remove(f)
	}
}

// remove lets no one join a flight any more. s is locked.
func (s *flights[V]) remove(f *flight[V]) {
	if hash := backend.Hash(f.key); s.byHash[hash] == f {
		delete(s.byHash, hash)
	}
}

// detach keeps later callers from joining the flight of a key that was
// invalidated; remote: by another process, some time ago.
func (s *flights[V]) detach(hash uint64, remote bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f := s.byHash[hash]; f != nil {
		s.detachOne(f, remote)
		delete(s.byHash, hash)
	}
}

func (s *flights[V]) detachAll(remote bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.byHash {
		s.detachOne(f, remote)
	}
	clear(s.byHash)
}

func (s *flights[V]) detachOne(f *flight[V], remote bool) {
	if remote {
		close(f.passed)
	} else {
		f.local = true
	}
}

func (s *flights[V]) fly(ctx context.Context, f *flight[V], p *fetchCall[V]) {
	defer f.cancel()
	func() {
		defer func() {
			if x := recover(); x != nil { // of a codec; a load's own does not come here
				f.result.err = &PanicError{Value: x, Stack: debug.Stack()}
			}
		}()
		f.result.value, f.result.err = p.fetch(ctx)
	}()
	s.mu.Lock()
	f.lost = p.lost
	s.remove(f)
	s.mu.Unlock()
	close(f.done)
}

// alone runs fn in the background, unless it runs for the key already.
func (s *flights[V]) alone(ctx context.Context, key string, most time.Duration, fn func(context.Context)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.background[key] {
		return
	}
	s.background[key] = true
	go func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), most)
		defer cancel()
		defer func() {
			s.mu.Lock()
			delete(s.background, key)
			s.mu.Unlock()
		}()
		fn(ctx)
	}()
}
