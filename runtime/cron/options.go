package cron

import (
	"log/slog"
	"time"

	"github.com/hegner123/modulagen/runtime/egress"
	"github.com/hegner123/modulagen/runtime/queue"
)

// Worker says how a process fires schedules and works runs: [Options]. A process whose Workers have
// nil leaves both to others.
type Worker interface{ worker() Options }

// Options have a process fire schedules and work runs. The zero value is sensible.
//
//	err := db.Run(ctx, generated.Workers{Cron: cron.Options{}})
type Options struct {
	// Queue says how runs are worked. Its Concurrency is how many of them run at once in
	// this process; 0 means 4.
	Queue queue.Options
	// Actions are the program's own predefined actions, by name.
	Actions map[string]Action
	// Plugins runs the jobs whose action_type is plugin, see package lua; nil refuses them.
	Plugins Provider
	// Egress are the options of the client through which actions make requests. Its zero value
	// reaches public addresses over https.
	Egress egress.Options
	// Backup says where backup_database writes.
	Backup Backup
	// Location is the time zone of jobs that name none; nil means UTC.
	Location *time.Location
	// Logger logs what fails; nil means that nothing is logged.
	Logger *slog.Logger
}

func (o Options) worker() Options { return o }

// OptionsOf returns the options of a Worker, with the defaults filled in; ok is false where it is nil.
// Package scheduler calls it.
func OptionsOf(w Worker) (o Options, ok bool) {
	if p, is := w.(*Options); w == nil || is && p == nil {
		return o, false
	}
	o = w.worker()
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	} else if o.Queue.Logger == nil {
		o.Queue.Logger = o.Logger
	}
	return o, true
}

// Backup says where and how databases are backed up.
type Backup struct {
	// Dir is the folder of backups; "" means backups, in the process's working directory.
	Dir string
	// Keep is how many backups are kept, where a job does not say; 0 keeps all.
	Keep int
	// Dump is the program that dumps the database, such as /usr/lib/postgresql/15/bin/pg_dump;
	// "" means pg_dump or mariadb-dump (mysqldump) in PATH. SQLite needs none.
	Dump string
}
