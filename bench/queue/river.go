package queue

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
)

// riverSetting is what of River's configuration is not its default.
type riverSetting struct {
	workers        int
	cooldown, poll time.Duration
	pool           int32 // connections to PostgreSQL; its driver's users bring their own pool
}

var (
	// riverBench is what River's own benchmark sets (its command "river bench").
	// On two processors 8 connections work jobs off faster than 16 or 30.
	riverBench = riverSetting{2000, 2 * time.Millisecond, 20 * time.Millisecond, 8}
	// riverStart is how River's documentation starts a client.
	riverStart = riverSetting{100, 0, 0, 16}
)

// riverBatch is how many jobs its benchmark inserts at once.
const riverBatch = 5000

// riverArgs are one job.
type riverArgs struct {
	N int `json:"n"`
}

func (riverArgs) Kind() string { return "noop" }

// riverSide is River on either database.
type riverSide[TTx any] struct {
	driver  riverdriver.Driver[TTx]
	setting riverSetting
	insert  *river.Client[TTx] // inserts while no worker runs here
	close   func() error
	*counter
}

const (
	riverLeft     = "SELECT count(*) FROM river_job WHERE state IN ('available', 'running', 'retryable', 'scheduled', 'pending')"
	riverFinished = "SELECT count(*) FROM river_job WHERE state = 'completed'"
)

// riverLog hides what River says below an error: "fetched no jobs" is no news here.
var riverLog = slog.New(slog.DiscardHandler)

func newRiver[TTx any](ctx context.Context, driver riverdriver.Driver[TTx], setting riverSetting, at place, closing func() error) (side, error) {
	migrator, err := rivermigrate.New(driver, &rivermigrate.Config{Logger: riverLog})
	if err == nil {
		_, err = migrator.Migrate(ctx, rivermigrate.DirectionUp, nil)
	}
	if err != nil {
		return nil, errors.Join(err, closing())
	}
	count, err := openCounter(at, riverLeft, riverFinished)
	if err != nil {
		return nil, errors.Join(err, closing())
	}
	s := &riverSide[TTx]{driver: driver, setting: setting, close: closing, counter: count}
	if s.insert, err = river.NewClient(driver, &river.Config{Logger: riverLog}); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func openRiverPostgres(setting riverSetting) func(context.Context, place) (side, error) {
	return func(ctx context.Context, at place) (side, error) {
		config, err := pgxpool.ParseConfig(at.Native)
		if err != nil {
			return nil, err
		}
		config.MaxConns = setting.pool
		pool, err := pgxpool.NewWithConfig(ctx, config)
		if err != nil {
			return nil, err
		}
		return newRiver[pgx.Tx](ctx, riverpgxv5.New(pool), setting, at, func() error { pool.Close(); return nil })
	}
}

// openRiverSQLite uses one connection, which its driver's documentation advises.
func openRiverSQLite(setting riverSetting) func(context.Context, place) (side, error) {
	return func(ctx context.Context, at place) (side, error) {
		db, err := sql.Open("sqlite", at.Native)
		if err != nil {
			return nil, err
		}
		db.SetMaxOpenConns(1)
		return newRiver[*sql.Tx](ctx, riversqlite.New(db), setting, at, db.Close)
	}
}

func (s *riverSide[TTx]) Enqueue(ctx context.Context, n int) error {
	_, err := s.insert.Insert(ctx, riverArgs{n}, nil)
	return err
}

func (s *riverSide[TTx]) EnqueueMany(ctx context.Context, from, count int) error {
	return batches(from, count, riverBatch, func(from, count int) error {
		params := make([]river.InsertManyParams, count)
		for i := range params {
			params[i].Args = riverArgs{from + i}
		}
		_, err := s.insert.InsertManyFast(ctx, params)
		return err
	})
}

// riverWorker runs the one kind.
type riverWorker struct {
	river.WorkerDefaults[riverArgs]
	handle func(n int)
}

func (w *riverWorker) Work(_ context.Context, job *river.Job[riverArgs]) error {
	w.handle(job.Args.N)
	return nil
}

// Work starts a client, which inserts from then on too: a client that works
// hears of its own insertions sooner.
func (s *riverSide[TTx]) Work(ctx context.Context, handle func(n int)) (func() error, error) {
	workers := river.NewWorkers()
	river.AddWorker(workers, &riverWorker{handle: handle})
	client, err := river.NewClient(s.driver, &river.Config{
		FetchCooldown: s.setting.cooldown, FetchPollInterval: s.setting.poll, Logger: riverLog,
		Queues: map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: s.setting.workers}}, Workers: workers,
	})
	if err != nil {
		return nil, err
	}
	if err := client.Start(ctx); err != nil {
		return nil, err
	}
	before := s.insert
	s.insert = client
	return func() error {
		s.insert = before
		return client.Stop(context.WithoutCancel(ctx))
	}, nil
}

func (s *riverSide[TTx]) Close() error { return errors.Join(s.close(), s.counter.db.Close()) }
