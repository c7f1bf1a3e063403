package core

import (
	"context"
	"sync"
)

// BeforeCommit has fn run as the last step of the transaction that c is: after
// the function given to Tx has returned nil and before the commit, on the
// goroutine that called Tx, with Tx's context; several in the order in which they
// were added. An error of fn undoes the transaction and is what Tx returns. It
// does not run in a transaction that is undone. Outside a transaction fn runs at
// once. It may use c, and add further functions.
func (c *Conn) BeforeCommit(ctx context.Context, fn func(ctx context.Context) error) error {
	if c.tx == nil {
		return fn(ctx)
	}
	c.tx.hooks.addBefore(fn)
	return nil
}

// AfterCommit has fn run once when what c does has been committed: in a
// transaction after its commit, on the goroutine that called Tx, when its locks
// are gone and before Tx returns; several in the order in which they were given.
// It never runs after a rollback, and once although Tx may run its function
// several times. Where the connection broke while the server was committing, Tx
// gives an error and fn does not run, although the commit may stand. Outside a
// transaction fn runs at once.
//
// A panic of fn goes on to the caller of Tx; what is committed stays so.
func (c *Conn) AfterCommit(fn func()) {
	if c.tx == nil || c.tx.hooks.add(fn) {
		fn()
	}
}

// Local returns the one value that the transaction that c is keeps under key, made by fresh at first use; nil
// where there is none and fresh is nil, and outside a transaction. It is gone with the transaction, also when Tx
// runs its function again. fresh must not use c.
func (c *Conn) Local(key any, fresh func() any) any {
	if c.tx == nil {
		return nil
	}
	return c.tx.hooks.local(key, fresh)
}

func (a *commitHooks) local(key any, fresh func() any) any {
	a.mu.Lock()
	defer a.mu.Unlock()
	v, ok := a.locals[key]
	if ok || fresh == nil {
		return v
	}
	if a.locals == nil {
		a.locals = map[any]any{}
	}
	v = fresh()
	a.locals[key] = v
	return v
}

// commitHooks is what a transaction is to do at its end.
type commitHooks struct {
	mu      sync.Mutex // not txState.running, which a statement holds while its callback runs
	locals  map[any]any
	outcome outcome
	before  []func(context.Context) error
	fns     []func()
	topics  []string
}

type outcome uint8

const (
	undecided outcome = iota
	committed
	undone
)

func (a *commitHooks) addBefore(fn func(context.Context) error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.before = append(a.before, fn)
}

// runBefore calls the functions of BeforeCommit, and those that they add.
func (a *commitHooks) runBefore(ctx context.Context) error {
	for {
		a.mu.Lock()
		fns := a.before
		a.before = nil
		a.mu.Unlock()
		if len(fns) == 0 {
			return nil
		}
		for _, fn := range fns {
			if err := fn(ctx); err != nil {
				return err
			}
		}
	}
}

// add keeps fn for later; true means that the commit has been already.
func (a *commitHooks) add(fn func()) (now bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.outcome == undecided {
		a.fns = append(a.fns, fn)
	}
	return a.outcome == committed
}

// addTopic is add for an announcement, one for each topic.
func (a *commitHooks) addTopic(topic string) (now bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.outcome == undecided {
		for _, t := range a.topics {
			if t == topic {
				return false
			}
		}
		a.topics = append(a.topics, topic)
	}
	return a.outcome == committed
}

// decide ends the waiting and gives what is to be done; nothing of a
// transaction that was undone.
func (a *commitHooks) decide(o outcome) (topics []string, fns []func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.outcome, topics, fns = o, a.topics, a.fns
	a.topics, a.fns = nil, nil
	if o != committed {
		return nil, nil
	}
	return topics, fns
}
