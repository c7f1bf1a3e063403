package cron

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/go-co-op/gocron/v2"
	"github.com/go-redsync/redsync/v4"
	"github.com/go-redsync/redsync/v4/redis/goredis/v9"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
	robfig "github.com/robfig/cron/v3"

	"github.com/hegner123/modulagen/bench/cron/generated"
	"github.com/hegner123/modulagen/runtime/cron"
	"github.com/hegner123/modulagen/runtime/queue"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// side runs a job each second, which adds a row to tick.
type side struct {
	name, note string
	needs      string // a variable of the environment
	prepare    func(ctx context.Context, dsn string) error
	work       func(ctx context.Context, dsn string) error // until ctx ends
}

// The names of our two jobs: a function, and one whose insert is part of the transaction that fires.
const (
	oursName = "ours"
	oursInTx = "ours, TxAction"
)

var sides = []side{
	{name: oursName, work: workOurs, note: "misfire all, overlap allow, max_attempts 3, Lease 5 s; one job is a function that inserts, the other the same as a TxAction"},
	{name: "river", prepare: migrateRiver, work: workRiver, note: "v0.51.1, a periodic job with a schedule of robfig/cron, UniqueOpts.ByPeriod of a second, RunOnStart false, all else default; a run belongs to the second of its scheduled_at"},
	{name: "gocron", needs: "MODULAGEN_REDIS_ADDR", work: workGocron, note: "v2.21.2, WithDistributedLocker; gocron-redis-lock's locker (NewRedisLocker, WithTries(1)) written out over redsync v4.18.1, as its module could not be had; a run belongs to the nearest second"},
}

const insertTick = "INSERT INTO tick (side, second) VALUES ($1, $2)"

func workOurs(ctx context.Context, dsn string) error {
	db, err := generated.Open(ctx, dsn, generated.Options{})
	if err != nil {
		return err
	}
	defer db.Close()
	insert := func(ctx context.Context, r *cron.Run, _ struct{}) error { return tick(ctx, db.Store().Conn(), r) }
	return db.Run(ctx, generated.Workers{Cron: cron.Options{
		Actions: map[string]cron.Action{oursName: cron.Func(insert), oursInTx: ticking{cron.Func(insert)}},
		Queue:   queue.Options{Lease: 5 * time.Second},
	}})
}

// ticking inserts in the transaction that fires.
type ticking struct{ cron.Action }

func (ticking) RunTx(ctx context.Context, c *core.Conn, r *cron.Run) error { return tick(ctx, c, r) }

func tick(ctx context.Context, c *core.Conn, r *cron.Run) error {
	_, err := c.Exec(ctx, insertTick, []any{r.Job, r.Due.Unix()})
	return err
}

// secondArgs are the job of a second.
type secondArgs struct{}

func (secondArgs) Kind() string { return "second" }

type secondWorker struct {
	river.WorkerDefaults[secondArgs]
	pool *pgxpool.Pool
}

func (w *secondWorker) Work(ctx context.Context, job *river.Job[secondArgs]) error {
	_, err := w.pool.Exec(ctx, insertTick, "river", job.ScheduledAt.Unix())
	return err
}

func migrateRiver(ctx context.Context, dsn string) error {
	pool, err := pgxpool.New(ctx, dsn)
	if err != nil {
		return err
	}
	defer pool.Close()
	migrator, err := rivermigrate.New(riverpgxv5.New(pool), &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	_, err = migrator.Migrate(ctx, rivermigrate.DirectionUp, nil)
	return err
}

func workRiver(ctx context.Context, dsn string) error {
	pool, err := pgxpool.New(ctx, dsn)
	if err != nil {
		return err
	}
	defer pool.Close()
	seconds, err := robfig.NewParser(robfig.Second | robfig.Minute | robfig.Hour | robfig.Dom | robfig.Month | robfig.Dow).Parse("* * * * * *")
	if err != nil {
		return err
	}
	workers := river.NewWorkers()
	river.AddWorker(workers, &secondWorker{pool: pool})
	client, err := river.NewClient(riverpgxv5.New(pool), &river.Config{
		Logger: slog.New(slog.DiscardHandler), Workers: workers,
		Queues: map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: 100}},
		PeriodicJobs: []*river.PeriodicJob{river.NewPeriodicJob(seconds, func() (river.JobArgs, *river.InsertOpts) {
			return secondArgs{}, &river.InsertOpts{UniqueOpts: river.UniqueOpts{ByPeriod: time.Second}}
		}, nil)},
	})
	if err != nil {
		return err
	}
	if err := client.Start(ctx); err != nil {
		return err
	}
	<-client.Stopped()
	return nil
}

// locker is gocron-redis-lock's: a lock of redsync for each run of a job, by its name.
type locker struct{ redsync *redsync.Redsync }

func (l locker) Lock(ctx context.Context, key string) (gocron.Lock, error) {
	m := l.redsync.NewMutex(key, redsync.WithTries(1))
	if err := m.LockContext(ctx); err != nil {
		return nil, err
	}
	return lock{m}, nil
}

type lock struct{ mutex *redsync.Mutex }

func (l lock) Unlock(ctx context.Context) error {
	ok, err := l.mutex.UnlockContext(ctx)
	if err == nil && !ok {
		err = fmt.Errorf("the lock %s had expired", l.mutex.Name())
	}
	return err
}

func workGocron(ctx context.Context, dsn string) error {
	pool, err := pgxpool.New(ctx, dsn)
	if err != nil {
		return err
	}
	defer pool.Close()
	client := redis.NewClient(&redis.Options{Addr: os.Getenv("MODULAGEN_REDIS_ADDR")})
	defer client.Close()
	s, err := gocron.NewScheduler(gocron.WithDistributedLocker(locker{redsync.New(goredis.NewPool(client))}))
	if err != nil {
		return err
	}
	insert := func() error {
		_, err := pool.Exec(ctx, insertTick, "gocron", time.Now().Round(time.Second).Unix())
		return err
	}
	if _, err := s.NewJob(gocron.CronJob("* * * * * *", true), gocron.NewTask(insert), gocron.WithName("second")); err != nil {
		return err
	}
	s.Start()
	<-ctx.Done()
	return s.Shutdown()
}
