package queue

import (
	"errors"
	"fmt"
)

// Causes with which a handler's context ends, as context.Cause returns them.
var (
	// ErrLeaseLost: the lease was not renewed in time, or another worker has the row.
	ErrLeaseLost = errors.New("queue: the lease was lost")
	// ErrCancelled: the row was cancelled.
	ErrCancelled = errors.New("queue: the job was cancelled")
	// ErrTimeout: the timeout of the job's kind has passed.
	ErrTimeout = errors.New("queue: the handler's time is over")
	// ErrStopping: the worker is stopping, and StopTimeout has passed.
	ErrStopping = errors.New("queue: the worker is stopping")
)

// Errors of operations on rows.
var (
	// ErrBegun: the handler has called BeginOnce, so that the job may have done its work, and
	// cannot be cancelled.
	ErrBegun = errors.New("queue: the job has begun what it does once")
	// ErrEnded: the row has ended and cannot be cancelled.
	ErrEnded = errors.New("queue: the job has ended")
	// ErrRunning: a worker is running the row.
	ErrRunning = errors.New("queue: the job is running")
	// ErrDuplicate: another row has the unique key. A *DuplicateError says which.
	ErrDuplicate = errors.New("queue: another job holds the unique key")
)

// DuplicateError is returned by Retry for a row whose unique key another row has.
// It matches ErrDuplicate.
type DuplicateError struct {
	Datatype string
	ID       any // the id of the row that has ended: an int64, or a string where ids are ULIDs
	Holder   any // the id of the row that has the key
}

func (e *DuplicateError) Error() string {
	return fmt.Sprintf("%s %v was not made ready: row %v is the same job and holds its unique key; cancel that one, or leave it to be run", e.Datatype, e.ID, e.Holder)
}

// Is reports whether target is ErrDuplicate.
func (e *DuplicateError) Is(target error) bool { return target == ErrDuplicate }

// ErrNoHandler is returned by Drain when no queue has a handler, and by Run in a
// project that has nothing else to run: with a cache, Run maintains its table.
var ErrNoHandler = errors.New("queue: no handler was given, so there is nothing to run")

// ErrLeft is returned by Run when handlers have not returned although their
// contexts had ended. Their rows run again when their leases expire.
var ErrLeft = errors.New("queue: handlers did not return in time")
