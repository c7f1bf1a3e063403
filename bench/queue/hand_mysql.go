package queue

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/go-sql-driver/mysql"
)

// handMySQL is what a careful person writes over go-sql-driver/mysql: SKIP
// LOCKED and a second statement, since there is no UPDATE .. RETURNING.
type handMySQL struct {
	db *sql.DB
	*counter
}

func openHandMySQL(ctx context.Context, at place) (side, error) {
	// Values into the text: one round trip for lists of any length.
	db, err := sql.Open("mysql", at.Native+"&interpolateParams=true")
	if err != nil {
		return nil, err
	}
	db.SetMaxIdleConns(16)
	for _, text := range []string{
		fmt.Sprintf(handTable, "bigint AUTO_INCREMENT PRIMARY KEY", "json"),
		"CREATE INDEX jobs_ready ON jobs (state, priority DESC, run_at)",
	} {
		if _, err := db.ExecContext(ctx, text); err != nil {
			return nil, errors.Join(err, db.Close())
		}
	}
	count, err := openCounter(at, handLeft, handFinished)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &handMySQL{db, count}, nil
}

func (s *handMySQL) Enqueue(ctx context.Context, n int) error { return s.EnqueueMany(ctx, n, 1) }

func (s *handMySQL) EnqueueMany(ctx context.Context, from, count int) error {
	return batches(from, count, 1000, func(from, count int) error {
		now := time.Now().UnixMicro()
		args := make([]any, 0, 3*count)
		for n := from; n < from+count; n++ {
			args = append(args, encode(n), now, now)
		}
		_, err := s.db.ExecContext(ctx, "INSERT INTO jobs (payload, run_at, created_at) VALUES "+questionMarks(count, "(?, ?, ?)"), args...)
		return err
	})
}

func (s *handMySQL) Work(ctx context.Context, handle func(n int)) (func() error, error) {
	return loops(ctx, handLoops, func(ctx context.Context) error { return handLoop(ctx, handle, s.take, s.complete) }), nil
}

func (s *handMySQL) take(ctx context.Context) (jobs []handJob, err error) {
	now := time.Now()
	err = unlessDeadlocked(func() error {
		return inTx(ctx, s.db, func(tx *sql.Tx) error {
			jobs, err = s.due(ctx, tx, now)
			if err != nil || len(jobs) == 0 {
				return err
			}
			_, err = tx.ExecContext(ctx, "UPDATE jobs SET state = 1, attempts = attempts + 1, lease = ? WHERE id IN ("+questionMarks(len(jobs), "?")+")",
				append([]any{now.Add(handLease).UnixMicro()}, ids(jobs)...)...)
			return err
		})
	})
	return jobs, err
}

func (s *handMySQL) due(ctx context.Context, tx *sql.Tx, now time.Time) ([]handJob, error) {
	rows, err := tx.QueryContext(ctx, "SELECT id, payload FROM jobs WHERE state = 0 AND run_at <= ? ORDER BY priority DESC, run_at LIMIT ? FOR UPDATE SKIP LOCKED",
		now.UnixMicro(), handBatch)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var jobs []handJob
	for rows.Next() {
		var j handJob
		var text sql.RawBytes
		if err := rows.Scan(&j.id, &text); err != nil {
			return nil, err
		}
		if j.n, err = decode(text); err != nil {
			return nil, err
		}
		jobs = append(jobs, j)
	}
	return jobs, rows.Err()
}

func (s *handMySQL) complete(ctx context.Context, jobs []handJob) error {
	return unlessDeadlocked(func() error {
		_, err := s.db.ExecContext(ctx, "UPDATE jobs SET state = 2, lease = NULL, completed_at = ? WHERE id IN ("+questionMarks(len(jobs), "?")+") AND state = 1",
			append([]any{time.Now().UnixMicro()}, ids(jobs)...)...)
		return err
	})
}

// unlessDeadlocked tries again while the server says that it chose this one to
// end a deadlock.
func unlessDeadlocked(try func() error) error {
	const deadlock = 1213
	for {
		err := try()
		var problem *mysql.MySQLError
		if !errors.As(err, &problem) || problem.Number != deadlock {
			return err
		}
	}
}

func ids(jobs []handJob) []any {
	out := make([]any, len(jobs))
	for i, j := range jobs {
		out[i] = j.id
	}
	return out
}

func (s *handMySQL) Close() error { return errors.Join(s.db.Close(), s.counter.db.Close()) }
