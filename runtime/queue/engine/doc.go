// Package engine runs the rows of a datatype that has a `queue:` section. Generated
// code calls it; package queue says how jobs run, and has what programs name.
//
// A Spec describes one queue. New makes a Runner of a Spec and a handler, which Run
// and Drain run: engine.go makes the parts of a worker and says which of them hands
// what to which. Beside a worker, AddUnique enqueues unique jobs, CancelRow, RetryRow,
// Pause, Resume and SetPriority change rows and queues from outside, and Await and
// Events wait for what happens.
package engine
