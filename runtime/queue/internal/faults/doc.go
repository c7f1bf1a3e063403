// Package faults holds tests alone: what the queue does when something goes
// wrong, on each database. Handlers panic, hang and come too late; processes are
// stopped and killed; databases go away and come back, disks are full, clocks
// jump; and two versions of a program share one queue. The two versions are
// generated into today and tomorrow.
package faults
