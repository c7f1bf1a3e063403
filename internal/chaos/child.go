//go:build unix

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/hegner123/modulagen/internal/chaos/generated"
)

// childEnv holds the settings of a process that the supervisor started. They
// name the database, password included, so they are no argument: anybody can
// read those.
const childEnv = "CHAOS_CHILD"

// roles of a process.
const (
	roleWorker   = "worker"
	roleEnqueuer = "enqueuer"
	roleMailer   = "mailer" // sends mail; see mail.go
	roleCron     = "cron"   // fires schedules and works their runs; see cron.go
)

// settings are what a child is told.
type settings struct {
	Role       string
	Slot       int // which of its role, from 1
	Generation int // how often that one was started, from 1
	DSN        string
	Logs       string // a folder for its log and its diary
	Seed       uint64
	Lease      time.Duration
	Jobs       int       // how many are to be committed, by all enqueuers together
	Start      time.Time // of the run
	Rate       float64   // jobs a second since then, of all enqueuers together
	Sink       int       // the port that a mailer sends to
}

func (s settings) name() string { return fmt.Sprintf("%s %d.%d", s.Role, s.Slot, s.Generation) }

// child runs this process as what the supervisor wants it to be, until SIGTERM
// or until the supervisor is gone. It gives the exit status.
func child(text string) int {
	var s settings
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		log.Error("settings do not decode", "error", err)
		return 2
	}
	go func() { // standard input ends with the supervisor, however that ends
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(3)
	}()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	log = log.With("process", s.name())
	d, err := openDiary(s)
	if err != nil {
		log.Error("no diary", "error", err)
		return 2
	}
	live := live
	switch s.Role {
	case roleMailer:
		live = sendMail
	case roleCron:
		live = runCron
	}
	if err := live(ctx, s, d, log); err != nil && ctx.Err() == nil {
		log.Error("ends with an error", "error", err)
		return 1
	}
	return 0
}

// live opens the database and does what the role asks for. Both are tried again
// when the database is away at the start.
func live(ctx context.Context, s settings, d *diary, log *slog.Logger) error {
	role := enqueue
	if s.Role == roleWorker {
		role = work
	}
	for {
		err := once(ctx, s, d, log, role)
		if err == nil || ctx.Err() != nil {
			return err
		}
		log.Warn("starts again", "error", err)
		rest(ctx, again)
	}
}

func once(ctx context.Context, s settings, d *diary, log *slog.Logger, role func(context.Context, *generated.DB, settings, *diary, *slog.Logger) error) error {
	db, err := generated.Open(ctx, s.DSN, generated.Options{Logger: log, MaxConns: 8})
	if err != nil {
		return err
	}
	defer db.Close()
	return role(ctx, db, s, d, log)
}

// again is how long a process waits before it tries once more what an error of
// the database prevented.
const again = 50 * time.Millisecond
