package migrate

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/hegner123/modulagen/runtime/store/migrate/script"
)

// state is what PostgreSQL shows of the tables within a transaction.
type state struct {
	files map[string]int64 // by table: the number of the file that holds it
	read  int64            // rows that were read from tables
	locks int              // tables that the transaction has locked against writers
}

const (
	// conflicting are the locks that ROW EXCLUSIVE, which writers take, conflicts with.
	conflicting = `l.mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')`
	tables      = `pg_class AS c WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace`
)

// watchPostgres runs a step as a transaction. A statement after which a table has another file has
// written it again; one that reads tables while the transaction has a lock on one that writers
// wait for holds them up.
func watchPostgres(ctx context.Context, t *trial, step script.Step) error {
	if step.Alone {
		return t.alone(ctx, step)
	}
	tx, err := t.conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	for _, st := range step.Statements {
		before, err := look(ctx, tx)
		if err != nil {
			return errors.Join(err, tx.Rollback())
		}
		if _, err := tx.ExecContext(ctx, st.SQL); err != nil {
			return errors.Join(err, tx.Rollback())
		}
		after, err := look(ctx, tx)
		if err != nil {
			return errors.Join(err, tx.Rollback())
		}
		t.did(st.SQL, "", after.since(before, st.SQL))
	}
	return tx.Commit()
}

func look(ctx context.Context, tx *sql.Tx) (s state, err error) {
	s.files = map[string]int64{}
	rows, err := tx.QueryContext(ctx, "SELECT c.relname, pg_relation_filenode(c.oid), pg_stat_get_xact_tuples_returned(c.oid) + pg_stat_get_xact_tuples_fetched(c.oid) FROM "+tables)
	if err != nil {
		return s, err
	}
	for rows.Next() {
		var name string
		var file, read int64
		if err := rows.Scan(&name, &file, &read); err != nil {
			return s, errors.Join(err, rows.Close())
		}
		s.files[name], s.read = file, s.read+read
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return s, err
	}
	err = tx.QueryRowContext(ctx, "SELECT count(*) FROM pg_locks AS l WHERE l.pid = pg_backend_pid() AND l.granted AND "+conflicting+
		" AND l.relation IN (SELECT c.oid FROM "+tables+")").Scan(&s.locks)
	return s, err
}

func (s state) since(before state, text string) (e effects) {
	for name, file := range s.files {
		if old, ok := before.files[name]; ok && old != file {
			e[rewrites] = 1
		}
	}
	if s.locks > 0 && (e[rewrites] > 0 || s.read-before.read >= trialRows/2) {
		e[holds] = 1
	}
	if isUpdate(text) {
		e[updates] = 1
	}
	return e
}

// alone runs statements that are no part of a transaction, while a writer has the table: whether
// their locks wait for it is whether writers wait for them.
func (t *trial) alone(ctx context.Context, step script.Step) error {
	var pid int
	if err := t.conn.QueryRowContext(ctx, "SELECT pg_backend_pid()").Scan(&pid); err != nil {
		return err
	}
	for _, st := range step.Statements {
		writer, err := t.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		if _, err := writer.ExecContext(ctx, "LOCK TABLE article IN ROW EXCLUSIVE MODE"); err != nil {
			return errors.Join(err, writer.Rollback())
		}
		ended := make(chan error, 1)
		go func() {
			_, err := t.conn.ExecContext(ctx, st.SQL)
			ended <- err
		}()
		e, err := t.waits(ctx, pid, ended)
		if err := errors.Join(err, writer.Rollback()); err != nil {
			return err
		}
		if err := <-ended; err != nil {
			return err
		}
		t.did(st.SQL, "", e)
	}
	return nil
}

// waits watches a statement until it has its lock on a table, or waits for it.
func (t *trial) waits(ctx context.Context, pid int, ended chan error) (e effects, err error) {
	for {
		var all, waiting int
		err := t.QueryRowContext(ctx, fmt.Sprintf(`SELECT count(*), count(*) FILTER (WHERE NOT l.granted) FROM pg_locks AS l
			WHERE l.pid = $1 AND (%s OR l.mode = 'ShareUpdateExclusiveLock') AND l.relation IN (SELECT c.oid FROM %s)`, conflicting, tables), pid).Scan(&all, &waiting)
		if err != nil || all > 0 {
			e[holds] = min(waiting, 1)
			return e, err
		}
		select {
		case err := <-ended: // it took no such lock
			ended <- err
			return e, nil
		case <-time.After(time.Millisecond):
		}
	}
}
