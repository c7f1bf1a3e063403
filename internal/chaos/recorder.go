//go:build unix

package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// tables are the queues under test.
var tables = []string{"job", "task"}

// rate names, as queue_limits does, what the one rate of these queues counts.
const rate = "task/paced"

// recorder makes each database write into history by itself what becomes of a
// job, so that the proof does not rest on what the engine says of itself. Row
// locks put the changes of one job in order; so the ids of its rows are in order
// too, and so are those of one connection. TABLE is replaced by each queue.
//
// A change is written with the earliest moment that it can be of: that its
// transaction or statement began. What was added, and the use of a rate, are
// written with the latest: now.
type recorder struct {
	job  []string // for each of tables
	rate string
}

var recorders = map[sqltext.Dialect]recorder{
	// SQLite's clock shows milliseconds.
	sqltext.SQLite: {[]string{`
CREATE TRIGGER TABLE_added AFTER INSERT ON TABLE
BEGIN
  INSERT INTO history (queue, job, kind, was, became, epoch_was, epoch, attempts_was, attempts, conn, at)
  VALUES ('TABLE', new.id, new.job_type, '', new.state, 0, new.queue_epoch, 0, new.attempts, 0, strftime('%Y-%m-%dT%H:%M:%f000Z', 'now'));
END`, `
CREATE TRIGGER TABLE_changed AFTER UPDATE ON TABLE
WHEN old.state <> new.state OR old.queue_epoch <> new.queue_epoch
BEGIN
  INSERT INTO history (queue, job, kind, was, became, epoch_was, epoch, attempts_was, attempts, lease_was, conn, at)
  VALUES ('TABLE', old.id, old.job_type, old.state, new.state, old.queue_epoch, new.queue_epoch, old.attempts, new.attempts,
    old.queue_lease, 0, strftime('%Y-%m-%dT%H:%M:%f000Z', 'now'));
END`}, `
CREATE TRIGGER rate_used AFTER UPDATE ON queue_limits WHEN new.name = '` + rate + `'
BEGIN
  INSERT INTO history (queue, job, kind, was, became, epoch_was, epoch, attempts_was, attempts, conn, counted, at)
  VALUES ('task', 0, 'paced', '', '', 0, 0, 0, 0, 0, new.seen, strftime('%Y-%m-%dT%H:%M:%f000Z', 'now'));
END`},
	sqltext.Postgres: {[]string{`
CREATE FUNCTION TABLE_recorder() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO history (queue, job, kind, was, became, epoch_was, epoch, attempts_was, attempts, conn, at)
    VALUES ('TABLE', new.id, new.job_type, '', new.state, 0, new.queue_epoch, 0, new.attempts, pg_backend_pid(), clock_timestamp());
  ELSE
    INSERT INTO history (queue, job, kind, was, became, epoch_was, epoch, attempts_was, attempts, lease_was, conn, at)
    VALUES ('TABLE', old.id, old.job_type, old.state, new.state, old.queue_epoch, new.queue_epoch, old.attempts, new.attempts,
      old.queue_lease, pg_backend_pid(), now());
  END IF;
  RETURN NULL;
END $$`, `
CREATE TRIGGER TABLE_added AFTER INSERT ON TABLE FOR EACH ROW EXECUTE FUNCTION TABLE_recorder()`, `
CREATE TRIGGER TABLE_changed AFTER UPDATE ON TABLE FOR EACH ROW
WHEN (old.state <> new.state OR old.queue_epoch <> new.queue_epoch) EXECUTE FUNCTION TABLE_recorder()`, `
CREATE FUNCTION TABLE_rate_recorder() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO history (queue, job, kind, was, became, epoch_was, epoch, attempts_was, attempts, conn, counted, at)
  VALUES ('task', 0, 'paced', '', '', 0, 0, 0, 0, pg_backend_pid(), new.seen, clock_timestamp());
  RETURN NULL;
END $$`}, `
CREATE TRIGGER rate_used AFTER UPDATE ON queue_limits FOR EACH ROW
WHEN (new.name = '` + rate + `') EXECUTE FUNCTION task_rate_recorder()`},
	sqltext.MySQL: {[]string{`
CREATE TRIGGER TABLE_added AFTER INSERT ON TABLE FOR EACH ROW
  INSERT INTO history (queue, job, kind, was, became, epoch_was, epoch, attempts_was, attempts, conn, at)
  VALUES ('TABLE', new.id, new.job_type, '', new.state, 0, new.queue_epoch, 0, new.attempts, CONNECTION_ID(), SYSDATE(6))`, `
CREATE TRIGGER TABLE_changed AFTER UPDATE ON TABLE FOR EACH ROW
BEGIN
  IF old.state <> new.state OR old.queue_epoch <> new.queue_epoch THEN
    INSERT INTO history (queue, job, kind, was, became, epoch_was, epoch, attempts_was, attempts, lease_was, conn, at)
    VALUES ('TABLE', old.id, old.job_type, old.state, new.state, old.queue_epoch, new.queue_epoch, old.attempts, new.attempts,
      old.queue_lease, CONNECTION_ID(), CURRENT_TIMESTAMP(6));
  END IF;
END`}, `
CREATE TRIGGER rate_used AFTER UPDATE ON queue_limits FOR EACH ROW
BEGIN
  IF new.name = '` + rate + `' THEN
    INSERT INTO history (queue, job, kind, was, became, epoch_was, epoch, attempts_was, attempts, conn, counted, at)
    VALUES ('task', 0, 'paced', '', '', 0, 0, 0, 0, CONNECTION_ID(), new.seen, SYSDATE(6));
  END IF;
END`},
}

func record(ctx context.Context, db *core.DB) error {
	r := recorders[db.Conn().Dialect()]
	var statements []string
	for _, table := range tables {
		for _, text := range r.job {
			statements = append(statements, strings.ReplaceAll(text, "TABLE", table))
		}
	}
	for _, statement := range append(statements, r.rate) {
		if _, err := db.Conn().Exec(ctx, statement, nil); err != nil {
			return fmt.Errorf("create the recorder: %w", err)
		}
	}
	return nil
}
