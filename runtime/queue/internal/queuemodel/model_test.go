package queuemodel

import "fmt"

// Limits that keep the number of states finite. Lost leases and failures are
// bounded by the attempts, as in the engine; what burns none has its own limit.
const (
	nJobs       = 2
	nWorkers    = 2
	nHands      = 2 // claims that a worker holds at once, of one job even
	maxAttempts = 2
	maxReturns  = 1 // snoozes, releases and revivals of one job
)

// state is the state column of a job.
type state uint8

const (
	ready state = iota
	running
	done
	dead
	cancelled
	unknown
)

func (s state) ended() bool { return s >= done }

// job is a row of the queue's table and, below the line, what only the observer
// knows. No guard of a statement may read that.
type job struct {
	state    state
	epoch    uint8
	attempts uint8
	leaseOut bool // the lease was not renewed for its whole length
	begun    bool // the mark of BeginOnce has the epoch of the claim

	claims    uint8 // how often it was claimed
	holder    uint8 // the number of the claim that holds it; 0: none
	completed uint8
	effects   uint8 // of CompleteTx: the handler's own writes that stand
	returns   uint8 // snoozes, releases and revivals
	excused   bool  // it may run again: its lease was lost, or a settlement said so
	did       bool  // its handler has begun what must not happen twice, and has not said that it may
}

// hand is a claim as a worker remembers it. job counts from 1; 0: none.
type hand struct {
	job, epoch uint8
	claim      uint8 // the observer's: which claim of the job this was
}

type worker [nHands]hand

// world is one state of everything.
type world struct {
	jobs    [nJobs]job
	workers [nWorkers]worker
}

// guards are the conditions in the statements' WHERE clauses. The engine has
// them all; a test takes one away.
type guards struct {
	settleEpoch    bool // settlements name the epoch
	settleState    bool // settlements change running rows alone
	heartbeatEpoch bool // heartbeats name the epoch
	claimLock      bool // a claim finds and takes a row in one step
	claimEpoch     bool // a claim raises the epoch
	onceEpoch      bool // BeginOnce names the epoch
	onceMark       bool // an expiry makes a marked row unknown
	expireLease    bool // an expiry takes a claim only as long as its lease is the one that was seen

	replies bool // not a guard: in a kind world no reply is lost
}

var allGuards = guards{
	settleEpoch: true, settleState: true, heartbeatEpoch: true, claimLock: true, claimEpoch: true, expireLease: true,
	onceEpoch: true, onceMark: true,
}

// step is one change of the world, and what the observer saw wrong with it.
type step struct {
	name  name
	to    world
	wrong string // empty: nothing
}

// name says what a step is. It becomes text when it is read: there are millions.
type name struct {
	what               string
	worker, job, epoch uint8 // from 1; 0 is none
}

func (n name) String() string {
	switch {
	case n.worker == 0:
		return fmt.Sprintf("job %d: %s", n.job, n.what)
	case n.job == 0:
		return fmt.Sprintf("worker %d %s", n.worker, n.what)
	}
	return fmt.Sprintf("worker %d, job %d, epoch %d: %s", n.worker, n.job, n.epoch, n.what)
}

// steps returns everything that can happen next.
func (g guards) steps(w world) []step {
	var out []step
	add := func(n name, to world, wrong string) {
		to.normalize()
		out = append(out, step{n, to, wrong})
	}
	for j := range nJobs {
		g.stepsOfJob(w, j, add)
	}
	for who := range nWorkers {
		for h := range nHands {
			if w.workers[who][h].job != 0 {
				g.stepsOfHand(w, who, h, add)
			}
		}
		if w.workers[who] != (worker{}) {
			next := w
			next.workers[who] = worker{}
			add(name{what: "crashes", worker: uint8(who + 1)}, next, "")
		}
	}
	return out
}

// stepsOfJob are those that need no claim.
func (g guards) stepsOfJob(w world, j int, add func(name, world, string)) {
	row := w.jobs[j]
	n := name{job: uint8(j + 1)}
	if row.state == running && !row.leaseOut {
		next := w
		next.jobs[j].leaseOut = true
		n.what = "its lease runs out"
		add(n, next, "")
	}
	if row.state == running && (row.leaseOut || !g.expireLease) {
		n.what = "expires"
		add(n, g.expire(w, j), "")
	}
	if !row.state.ended() {
		n.what = "is cancelled"
		add(n, cancel(w, j), "")
	}
	if (row.state == dead || row.state == cancelled || row.state == unknown) && row.returns < maxReturns {
		n.what = "is retried"
		add(n, retry(w, j), "")
	}
	if row.state == ready || !g.claimLock && row.state == running {
		next, wrong := g.claim(w, j)
		if !g.replies {
			n.what = "is claimed, and the reply is lost" // no worker knows
			add(n, next, wrong)
		}
		n.epoch = next.jobs[j].epoch
		for who := range nWorkers {
			if h := w.workers[who].free(); h >= 0 {
				taken := next
				taken.workers[who][h] = hand{job: n.job, epoch: n.epoch, claim: next.jobs[j].claims}
				n.worker, n.what = uint8(who+1), "claims"
				add(n, taken, wrong)
			}
		}
	}
}

// stepsOfHand are those of one claim that a worker believes to hold.
func (g guards) stepsOfHand(w world, who, h int, add func(name, world, string)) {
	held := w.workers[who][h]
	n := name{worker: uint8(who + 1), job: held.job, epoch: held.epoch}

	next, wrong := g.heartbeat(w, held)
	n.what = "heartbeat"
	add(n, next, wrong)

	if held.job == 1 && !w.jobs[0].did { // the other queue has no jobs that must not run twice
		next, wrong = g.beginOnce(w, held, true)
		n.what = "begins once"
		add(n, next, wrong)
		if !g.replies && !w.jobs[0].begun {
			next, wrong = g.beginOnce(w, held, false)
			n.what = "begins once, and the reply is lost"
			add(n, next, wrong)
		}
	}

	// A handler that ended without a settlement: its lease was known to be lost.
	next = w
	next.workers[who][h] = hand{}
	n.what = "lets go"
	add(n, next, "")

	for _, s := range settlements {
		if !s.allowed(w.jobs[held.job-1]) {
			continue
		}
		next, wrong := g.settle(w, held, s)
		if !g.replies {
			// It is sent again, or something else is: more than the engine does.
			n.what = s.unheard
			add(n, next, wrong)
		}
		next.workers[who][h] = hand{}
		n.what = s.verb
		add(n, next, wrong)
	}
}

// claim is OpClaim:
//
//	UPDATE .. SET state = running, attempts + 1, epoch + 1, lease = later
//	WHERE id IN (SELECT .. WHERE state = ready .. FOR UPDATE SKIP LOCKED)
//
// Without the lock, a row that another has taken since it was found is taken too.
func (g guards) claim(w world, j int) (world, string) {
	row := &w.jobs[j]
	wrong := ""
	if row.claims > 0 && !row.excused {
		wrong = fmt.Sprintf("job %d runs again, and nothing was lost or failed", j+1)
	}
	row.state, row.leaseOut, row.begun, row.did = running, false, false, false
	row.attempts++
	if g.claimEpoch {
		row.epoch++
	}
	row.claims++
	row.holder, row.excused = row.claims, false
	return w, wrong
}

// expire is OpExpire. Whoever sees a lease unchanged for its whole length takes
// the claim, if it is still as it was seen:
//
//	UPDATE .. SET state = CASE WHEN begun = epoch THEN unknown
//	WHEN attempts >= max_attempts THEN dead ELSE ready END, lease = NULL
//	WHERE id = ? AND epoch = ? AND state = running AND lease = ?
func (g guards) expire(w world, j int) world {
	row := &w.jobs[j]
	switch {
	case row.begun && g.onceMark:
		row.state = unknown
	case row.attempts >= maxAttempts:
		row.state = dead
	default:
		row.state = ready
	}
	row.excused = row.leaseOut && !row.did
	row.begun = false
	row.leaseOut, row.holder = false, 0
	return w
}

// cancel is OpCancel:
//
//	UPDATE .. SET state = cancelled, lease = NULL WHERE id = ? AND state IN (ready, running)
func cancel(w world, j int) world {
	row := &w.jobs[j]
	row.state, row.leaseOut, row.begun, row.holder = cancelled, false, false, 0
	return w
}

// retry is OpRetryEnded, of what did not end well:
//
//	UPDATE .. SET state = ready, attempts = 0 WHERE id = ? AND state <> running
func retry(w world, j int) world {
	row := &w.jobs[j]
	row.state, row.attempts, row.excused = ready, 0, true
	row.returns++
	return w
}

// heartbeat is OpHeartbeat:
//
//	UPDATE .. SET lease = later WHERE id = ? AND epoch = ? AND state = running
func (g guards) heartbeat(w world, held hand) (world, string) {
	row := &w.jobs[held.job-1]
	if row.state != running || g.heartbeatEpoch && row.epoch != held.epoch {
		return w, ""
	}
	row.leaseOut = false
	if row.holder != held.claim {
		return w, fmt.Sprintf("a heartbeat for claim %d of job %d renewed the lease of claim %d", held.claim, held.job, row.holder)
	}
	return w, ""
}

// beginOnce is OpBeginOnce:
//
//	UPDATE .. SET begun = epoch, lease = later WHERE id = ? AND epoch = ? AND state = running
//
// Where its reply is lost, the handler does not go on.
func (g guards) beginOnce(w world, held hand, heard bool) (world, string) {
	row := &w.jobs[held.job-1]
	if row.state != running || g.onceEpoch && row.epoch != held.epoch {
		return w, ""
	}
	row.begun, row.leaseOut = true, false
	row.did = row.did || heard
	if row.holder != held.claim {
		return w, fmt.Sprintf("claim %d of job %d began what claim %d has", held.claim, held.job, row.holder)
	}
	return w, ""
}

// settlement is one of the statements that end a claim. All of them read
//
//	UPDATE .. SET .. lease = NULL WHERE id = ? AND epoch = ? AND state = running
type settlement struct {
	verb, unheard string // the second with its reply lost
	allowed       func(job) bool
	change        func(*job)
}

func always(job) bool { return true }

var settlements = []settlement{
	// OpComplete, OpFinish: state = done
	{"completes", "completes, and the reply is lost", always, func(j *job) {
		j.state = done
		j.completed++
	}},
	// OpComplete in the transaction of the handler's own writes: CompleteTx
	{"completes with writes", "completes with writes, and the reply is lost", always, func(j *job) {
		j.state = done
		j.completed++
		j.effects++
	}},
	// OpRetry: state = ready, run_at = later; and OpDeadLetter after the last attempt
	{"retries", "retries, and the reply is lost", always, func(j *job) {
		j.state, j.excused = ready, true
		if j.attempts >= maxAttempts {
			j.state = dead
		}
	}},
	// OpDeadLetter: state = dead; OpCancelRunning is the same with another word
	{"buries", "buries, and the reply is lost", always, func(j *job) { j.state = dead }},
	// OpRelease, OpSnooze: state = ready, attempts - 1
	{"gives back", "gives back, and the reply is lost", func(j job) bool { return j.returns < maxReturns }, func(j *job) {
		j.state, j.excused = ready, true
		j.attempts--
		j.returns++
	}},
}

func (g guards) settle(w world, held hand, s settlement) (world, string) {
	row := &w.jobs[held.job-1]
	if g.settleState && row.state != running || g.settleEpoch && row.epoch != held.epoch {
		return w, "" // no row: refused, and the handler's transaction is rolled back
	}
	was := *row
	s.change(row)
	row.leaseOut, row.begun, row.holder = false, false, 0
	switch {
	case row.completed > 1 || row.effects > 1:
		return w, fmt.Sprintf("job %d was completed %d times, with %d writes", held.job, row.completed, row.effects)
	case was.state.ended():
		return w, fmt.Sprintf("job %d had ended, and was changed", held.job)
	case was.holder != held.claim:
		return w, fmt.Sprintf("claim %d of job %d was settled by claim %d", was.holder, held.job, held.claim)
	}
	return w, ""
}

func (k worker) free() int {
	for h := range k {
		if k[h].job == 0 {
			return h
		}
	}
	return -1
}

// normalize puts what has no order into one: states that differ in nothing but
// the numbering of workers and hands count once. A worker's number in a trace is
// that of its step alone.
func (w *world) normalize() {
	for i := range w.workers {
		k := &w.workers[i]
		if k[0].less(k[1]) {
			k[0], k[1] = k[1], k[0]
		}
	}
	a, b := &w.workers[0], &w.workers[1]
	if a[0].less(b[0]) || a[0] == b[0] && a[1].less(b[1]) {
		*a, *b = *b, *a
	}
}

func (h hand) less(other hand) bool {
	if h.job != other.job {
		return h.job < other.job
	}
	if h.claim != other.claim {
		return h.claim < other.claim
	}
	return h.epoch < other.epoch
}
