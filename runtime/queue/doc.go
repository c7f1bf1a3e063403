// Package queue runs the rows of a datatype that has a `queue:` section.
//
// A row is ready, running, done or dead:
//
//	ready --claim--> running --complete--> done
//	  ^                 |  \--bury-------> dead
//	  |--retry----------|                   ^
//	  |--release--------|                   |
//	  |--sweep----------|-------------------| attempts used up
//
// A claim raises the row's epoch and sets a lease, which the worker renews
// while the handler runs. Each later change names the epoch, so that a worker
// that was thought dead cannot overwrite the result of the one that took its
// place. A lease that was lost cancels the handler's context.
//
// A handler can run more than once for one row: when its process dies, or its
// lease is lost, after the work was done and before that was written. Write
// handlers so that running them twice does no harm.
//
// Generated code calls New, Run and Drain; people meet Job, Discard and Options.
package queue
