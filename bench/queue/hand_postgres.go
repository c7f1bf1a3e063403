package queue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// handPostgres is what a careful person writes over pgx: SKIP LOCKED, claims and
// completions of 200 by array, on handLoops goroutines.
type handPostgres struct {
	pool *pgxpool.Pool
	*counter
}

// handLoops is the number of goroutines that claim; more are not faster on two cores.
const handLoops = 2

func openHandPostgres(ctx context.Context, at place) (side, error) {
	config, err := pgxpool.ParseConfig(at.Native)
	if err != nil {
		return nil, err
	}
	config.MaxConns = 16
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	for _, text := range []string{
		fmt.Sprintf(handTable, "bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY", "jsonb"),
		"CREATE INDEX jobs_ready ON jobs (priority DESC, run_at) WHERE state = 0",
	} {
		if _, err := pool.Exec(ctx, text); err != nil {
			pool.Close()
			return nil, err
		}
	}
	count, err := openCounter(at, handLeft, handFinished)
	if err != nil {
		pool.Close()
		return nil, err
	}
	return &handPostgres{pool, count}, nil
}

func (s *handPostgres) Enqueue(ctx context.Context, n int) error {
	now := time.Now().UnixMicro()
	_, err := s.pool.Exec(ctx, "INSERT INTO jobs (payload, run_at, created_at) VALUES ($1, $2, $2)", encode(n), now)
	return err
}

func (s *handPostgres) EnqueueMany(ctx context.Context, from, count int) error {
	now := time.Now().UnixMicro()
	_, err := s.pool.CopyFrom(ctx, pgx.Identifier{"jobs"}, []string{"payload", "run_at", "created_at"},
		pgx.CopyFromSlice(count, func(i int) ([]any, error) { return []any{encode(from + i), now, now}, nil }))
	return err
}

func (s *handPostgres) Work(ctx context.Context, handle func(n int)) (func() error, error) {
	return loops(ctx, handLoops, func(ctx context.Context) error { return handLoop(ctx, handle, s.take, s.complete) }), nil
}

func (s *handPostgres) take(ctx context.Context) ([]handJob, error) {
	now := time.Now()
	rows, err := s.pool.Query(ctx, `UPDATE jobs SET state = 1, attempts = attempts + 1, lease = $1
		FROM (SELECT id FROM jobs WHERE state = 0 AND run_at <= $2 ORDER BY priority DESC, run_at LIMIT $3 FOR UPDATE SKIP LOCKED) AS due
		WHERE jobs.id = due.id RETURNING jobs.id, jobs.payload`, now.Add(handLease).UnixMicro(), now.UnixMicro(), handBatch)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (j handJob, err error) {
		var text []byte
		if err := row.Scan(&j.id, &text); err != nil {
			return j, err
		}
		j.n, err = decode(text)
		return j, err
	})
}

func (s *handPostgres) complete(ctx context.Context, jobs []handJob) error {
	ids := make([]int64, len(jobs))
	for i, j := range jobs {
		ids[i] = j.id
	}
	_, err := s.pool.Exec(ctx, "UPDATE jobs SET state = 2, lease = NULL, completed_at = $1 WHERE id = ANY($2) AND state = 1", time.Now().UnixMicro(), ids)
	return err
}

func (s *handPostgres) Close() error {
	s.pool.Close()
	return errors.Join(s.counter.db.Close())
}
