//go:build unix

package main

import (
	"context"
	"fmt"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// recorder makes each database write a job's changes into history by itself, so
// that the proof does not rest on what the engine says of itself. Row locks put
// the changes of one job in order; so the ids of its rows are in order too.
var recorder = map[sqltext.Dialect][]string{
	// SQLite's clock shows milliseconds.
	sqltext.SQLite: {`
CREATE TRIGGER job_recorder AFTER UPDATE ON job
WHEN old.state <> new.state OR old.queue_epoch <> new.queue_epoch
BEGIN
  INSERT INTO history (job, was, became, epoch_was, epoch, attempts_was, attempts, lease_was, at)
  VALUES (old.id, old.state, new.state, old.queue_epoch, new.queue_epoch, old.attempts, new.attempts, old.queue_lease,
    strftime('%Y-%m-%dT%H:%M:%f000Z', 'now'));
END`},
	sqltext.Postgres: {`
CREATE FUNCTION job_recorder() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO history (job, was, became, epoch_was, epoch, attempts_was, attempts, lease_was, at)
  VALUES (old.id, old.state, new.state, old.queue_epoch, new.queue_epoch, old.attempts, new.attempts, old.queue_lease, now());
  RETURN NULL;
END $$`, `
CREATE TRIGGER job_recorder AFTER UPDATE ON job FOR EACH ROW
WHEN (old.state <> new.state OR old.queue_epoch <> new.queue_epoch) EXECUTE FUNCTION job_recorder()`},
	sqltext.MySQL: {`
CREATE TRIGGER job_recorder AFTER UPDATE ON job FOR EACH ROW
BEGIN
  IF old.state <> new.state OR old.queue_epoch <> new.queue_epoch THEN
    INSERT INTO history (job, was, became, epoch_was, epoch, attempts_was, attempts, lease_was, at)
    VALUES (old.id, old.state, new.state, old.queue_epoch, new.queue_epoch, old.attempts, new.attempts, old.queue_lease, CURRENT_TIMESTAMP(6));
  END IF;
END`},
}

func record(ctx context.Context, db *store.DB) error {
	for _, statement := range recorder[db.Conn().Dialect()] {
		if _, err := db.Conn().Exec(ctx, statement, nil); err != nil {
			return fmt.Errorf("create the recorder: %w", err)
		}
	}
	return nil
}
