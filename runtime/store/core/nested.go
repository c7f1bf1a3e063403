package core

import (
	"reflect"
	"runtime"
	"sync"
)

// transactions counts the transactions whose functions run in this process.
var transactions struct {
	sync.Mutex
	of  map[*DB]int
	all int
}

func countTx(db *DB, n int) {
	transactions.Lock()
	defer transactions.Unlock()
	if transactions.of == nil {
		transactions.of = map[*DB]int{}
	}
	transactions.all += n
	if transactions.of[db] += n; transactions.of[db] == 0 {
		delete(transactions.of, db)
	}
}

// openElsewhere counts the transactions of other databases; here says whether
// b has one.
func openElsewhere(b Backend) (n int, here bool) {
	transactions.Lock()
	defer transactions.Unlock()
	own := 0
	for db, count := range transactions.of {
		if db.backend == b { // a reserved view may share it
			own += count
		}
	}
	return transactions.all - own, own > 0
}

// Nested returns an error, which is ErrInvalid, when its caller runs inside the
// function of one of b's transactions, and nil otherwise. A driver calls it
// before it waits for what a transaction may hold: a caller that waits for it
// inside that transaction waits for itself.
//
// The function of a transaction is not given a context that could be marked, but
// it runs on the stack of Tx: a goroutine's stack shows how many transactions it
// is in. When they are more than other databases have open, one is b's. A
// goroutine that the function started is not noticed.
func Nested(b Backend) error {
	others, here := openElsewhere(b)
	if !here || depth() <= others {
		return nil
	}
	return invalidf("db is used inside db.Tx and would wait for what this transaction holds; inside the function use tx, its argument")
}

// inside runs a transaction's function. It is the frame that depth counts, and
// stands alone so that commit hooks, which run when the transaction is over, are
// not inside.
//
//go:noinline
func (db *DB) inside(fn func(*Conn) error, c *Conn) error {
	countTx(db, 1)
	defer countTx(db, -1) // also on a panic
	return fn(c)
}

var insideName = sync.OnceValue(func() string {
	return runtime.FuncForPC(reflect.ValueOf((*DB).inside).Pointer()).Name()
})

// depth counts the transactions on this goroutine's stack.
func depth() (n int) {
	pcs := make([]uintptr, 64)
	for skip := 2; ; skip += len(pcs) {
		got := runtime.Callers(skip, pcs)
		frames := runtime.CallersFrames(pcs[:got])
		for more := got > 0; more; {
			var f runtime.Frame
			if f, more = frames.Next(); f.Function == insideName() {
				n++
			}
		}
		if got < len(pcs) {
			return n
		}
	}
}
