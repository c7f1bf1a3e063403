//go:build unix

package main

import (
	"math/rand/v2"
	"time"
)

// plan is what becomes of one job. Seed and token decide it, so that every
// process knows it without being told.
type plan struct {
	inside   bool          // audits in the transaction that completes the job
	fails    int           // attempts that fail first
	snoozes  bool          // its first run snoozes
	discards bool          // gives up
	hopeless bool          // fails always, and has two attempts
	work     time.Duration // how long a run takes
	delay    time.Duration // until it is due
	priority int64
}

const (
	attemptsAsARule    = 25 // so many that lost leases alone bury nothing
	attemptsOfHopeless = 2
)

func planOf(seed uint64, token int64, lease time.Duration) plan {
	r := rand.New(rand.NewPCG(seed, uint64(token)))
	p := plan{inside: r.IntN(2) == 0, priority: int64(r.IntN(3))}
	switch n := r.IntN(1000); {
	case n < 80:
		p.fails = 1 + r.IntN(2)
	case n < 120:
		p.snoozes = true
	case n < 130:
		p.discards = true
	case n < 140:
		p.hopeless = true
	}
	switch n := r.IntN(1000); {
	case n < 10:
		p.work = lease/2 + time.Duration(r.Int64N(int64(2*lease)))
	case n < 200:
		p.work = time.Duration(r.Int64N(int64(50 * time.Millisecond)))
	}
	if r.IntN(20) == 0 {
		p.delay = time.Duration(r.Int64N(int64(2 * time.Second)))
	}
	return p
}

func (p plan) maxAttempts() int64 {
	if p.hopeless {
		return attemptsOfHopeless
	}
	return attemptsAsARule
}
