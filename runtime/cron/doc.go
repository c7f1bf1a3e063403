// Package cron runs what the rows of a datatype with a `cron:` section say, at the times that
// their schedules say.
//
// A row is a job: a schedule, an action with its configuration, and how the last run ended. Each
// due instant becomes one row of the queue of runs, in the transaction that moves the job to its
// next instant, whichever process comes first. The queue runs it, and its rows are the history.
//
// This package has what programs name: Options, Action and Func for actions of their own, and Run,
// which an action is called with. Package schedule has the grammar of schedules, and package lua
// plugins. Package scheduler, which generated code calls, decides what is due.
package cron
