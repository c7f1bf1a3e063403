package queue

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// handSQLite is what a careful person writes over database/sql and modernc: one
// connection for writing, prepared statements, claims and completions of 200.
type handSQLite struct {
	db                                    *sql.DB
	insert, insertMany, claim, completion *sql.Stmt
	*counter
}

// handInsertRows is how many rows the statement of EnqueueMany inserts.
const handInsertRows = 100

func openHandSQLite(ctx context.Context, at place) (side, error) {
	db, err := sql.Open("sqlite", at.Native)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	s := &handSQLite{db: db}
	for _, text := range []string{
		fmt.Sprintf(handTable, "INTEGER PRIMARY KEY", "TEXT"),
		"CREATE INDEX jobs_ready ON jobs (priority DESC, run_at) WHERE state = 0",
	} {
		if _, err := db.ExecContext(ctx, text); err != nil {
			return nil, errors.Join(err, db.Close())
		}
	}
	const insert = "INSERT INTO jobs (payload, run_at, created_at) VALUES "
	for _, p := range []struct {
		into **sql.Stmt
		text string
	}{
		{&s.insert, insert + "(?, ?, ?)"},
		{&s.insertMany, insert + questionMarks(handInsertRows, "(?, ?, ?)")},
		{&s.claim, `UPDATE jobs SET state = 1, attempts = attempts + 1, lease = ?1 WHERE id IN
			(SELECT id FROM jobs WHERE state = 0 AND run_at <= ?2 ORDER BY priority DESC, run_at LIMIT ?3) RETURNING id, payload`},
		{&s.completion, "UPDATE jobs SET state = 2, lease = NULL, completed_at = ? WHERE id IN (SELECT value FROM json_each(?)) AND state = 1"},
	} {
		if *p.into, err = db.PrepareContext(ctx, p.text); err != nil {
			return nil, errors.Join(err, db.Close())
		}
	}
	if s.counter, err = openCounter(at, handLeft, handFinished); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

func (s *handSQLite) Enqueue(ctx context.Context, n int) error {
	now := time.Now().UnixMicro()
	_, err := s.insert.ExecContext(ctx, encode(n), now, now)
	return err
}

func (s *handSQLite) EnqueueMany(ctx context.Context, from, count int) error {
	return inTx(ctx, s.db, func(tx *sql.Tx) error {
		many, one := tx.StmtContext(ctx, s.insertMany), tx.StmtContext(ctx, s.insert)
		return batches(from, count, handInsertRows, func(from, count int) error {
			now := time.Now().UnixMicro()
			args := make([]any, 0, 3*count)
			for n := from; n < from+count; n++ {
				args = append(args, encode(n), now, now)
			}
			if count == handInsertRows {
				_, err := many.ExecContext(ctx, args...)
				return err
			}
			for ; len(args) > 0; args = args[3:] {
				if _, err := one.ExecContext(ctx, args[:3]...); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

func (s *handSQLite) Work(ctx context.Context, handle func(n int)) (func() error, error) {
	return loops(ctx, 1, func(ctx context.Context) error { return handLoop(ctx, handle, s.take, s.complete) }), nil
}

func (s *handSQLite) take(ctx context.Context) ([]handJob, error) {
	now := time.Now()
	rows, err := s.claim.QueryContext(ctx, now.Add(handLease).UnixMicro(), now.UnixMicro(), handBatch)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	jobs := make([]handJob, 0, handBatch)
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

func (s *handSQLite) complete(ctx context.Context, jobs []handJob) error {
	ids := make([]int64, len(jobs))
	for i, j := range jobs {
		ids[i] = j.id
	}
	list, err := json.Marshal(ids)
	if err != nil {
		return err
	}
	_, err = s.completion.ExecContext(ctx, time.Now().UnixMicro(), string(list))
	return err
}

func (s *handSQLite) Close() error { return errors.Join(s.db.Close(), s.counter.db.Close()) }
