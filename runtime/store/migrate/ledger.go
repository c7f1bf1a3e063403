package migrate

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// Ledger is the table in which a database records its migrations.
const Ledger = "modulagen_migrations"

// State says how far a migration has come on a database.
type State string

// The states. A migration without a row is Pending.
const (
	Pending  State = "pending"
	Running  State = "running"  // begun; in a Status, while a process works on it
	Done     State = "done"     // applied
	Created  State = "created"  // the database was made from a schema that has it
	Baseline State = "baseline" // the tables were found to have it
	Creating State = "creating" // the tables are being created from the schema, on MySQL
	Down     State = "down"     // being undone

	// A Status has one of these for a migration that is recorded as running while no process works on it.
	Failed      State = "failed"      // a statement failed, or rows do not fit; Entry.Failure says why
	Interrupted State = "interrupted" // the process was killed, or ended before the migration did
)

// applied reports whether the migration has taken effect as a whole.
func (s State) applied() bool { return s == Done || s == Created || s == Baseline }

// row is one row of the ledger.
type row struct {
	ID, Parent          string
	Checksum            string // of the file; while it runs, of the statements that have taken effect
	Statement           int64  // how many units have taken effect (script.Step.Units, over all steps)
	Begun               bool   // the next unit was begun; the tables show whether it has taken effect
	State               State
	Cursor              string // where the next batch of a data step begins
	RowsDone, RowsTotal int64  // of that step
	StartedAt           time.Time
	EndedAt             store.Null[time.Time] // while it runs on SQLite, which has no lock for it, the end of a lease
	Program             string
	Adds                bool   // a program of the version before can go on
	Refused             string // why it cannot
	Failure             string // why the last process that worked on it did not finish; read by readFailures alone
}

var ledgerDDL = [...]string{
	sqltext.SQLite: `CREATE TABLE IF NOT EXISTS modulagen_migrations (
  id TEXT NOT NULL PRIMARY KEY,
  parent TEXT NOT NULL,
  checksum TEXT NOT NULL,
  statement INTEGER NOT NULL,
  begun INTEGER NOT NULL,
  state TEXT NOT NULL,
  "cursor" TEXT NOT NULL,
  rows_done INTEGER NOT NULL,
  rows_total INTEGER NOT NULL,
  started_at TEXT NOT NULL,
  ended_at TEXT,
  program TEXT NOT NULL,
  adds INTEGER NOT NULL,
  refused TEXT NOT NULL,
  failure TEXT
) STRICT`,
	sqltext.Postgres: `CREATE TABLE IF NOT EXISTS modulagen_migrations (
  id text NOT NULL PRIMARY KEY,
  parent text NOT NULL,
  checksum text NOT NULL,
  statement bigint NOT NULL,
  begun boolean NOT NULL,
  state text NOT NULL,
  "cursor" text NOT NULL,
  rows_done bigint NOT NULL,
  rows_total bigint NOT NULL,
  started_at timestamptz NOT NULL,
  ended_at timestamptz,
  program text NOT NULL,
  adds boolean NOT NULL,
  refused text NOT NULL,
  failure text
)`,
	sqltext.MySQL: "CREATE TABLE IF NOT EXISTS modulagen_migrations (\n" +
		"  id varchar(255) NOT NULL PRIMARY KEY,\n" +
		"  parent varchar(255) NOT NULL,\n" +
		"  checksum varchar(64) NOT NULL,\n" +
		"  statement bigint NOT NULL,\n" +
		"  begun tinyint(1) NOT NULL,\n" +
		"  state varchar(20) NOT NULL,\n" +
		"  `cursor` longtext NOT NULL,\n" +
		"  rows_done bigint NOT NULL,\n" +
		"  rows_total bigint NOT NULL,\n" +
		"  started_at datetime(6) NOT NULL,\n" +
		"  ended_at datetime(6) NULL,\n" +
		"  program text NOT NULL,\n" +
		"  adds tinyint(1) NOT NULL,\n" +
		"  refused text NOT NULL,\n" +
		"  failure text NULL\n" +
		") ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin",
}

var ledgerColumns = []string{
	"id", "parent", "checksum", "statement", "begun", "state", "cursor", "rows_done", "rows_total",
	"started_at", "ended_at", "program", "adds", "refused",
}

func (r *row) places() []any {
	return []any{
		&r.ID, &r.Parent, &r.Checksum, &r.Statement, &r.Begun, (*string)(&r.State), &r.Cursor, &r.RowsDone, &r.RowsTotal,
		&r.StartedAt, &r.EndedAt, &r.Program, &r.Adds, &r.Refused,
	}
}

func (r *row) values() []any {
	var ended any // nil: NULL
	if r.EndedAt.Valid {
		ended = r.EndedAt.V
	}
	return []any{
		r.ID, r.Parent, r.Checksum, r.Statement, r.Begun, string(r.State), r.Cursor, r.RowsDone, r.RowsTotal,
		r.StartedAt, ended, r.Program, r.Adds, r.Refused,
	}
}

// plain returns values as a session takes them.
func plain(values []any) ([]any, error) {
	out := make([]any, len(values))
	for i, v := range values {
		p, err := core.Plain(v)
		if err != nil {
			return nil, err
		}
		out[i] = p
	}
	return out, nil
}

// readLedger returns the rows of migrations in the order of their names.
func readLedger(ctx context.Context, s core.Session, d sqltext.Dialect) ([]row, error) {
	return readRows(ctx, s, d, "state <> '"+string(open)+"'")
}

// readPrograms returns the rows of programs that have the database open, or had.
func readPrograms(ctx context.Context, s core.Session, d sqltext.Dialect) ([]row, error) {
	return readRows(ctx, s, d, "state = '"+string(open)+"'")
}

func readRows(ctx context.Context, s core.Session, d sqltext.Dialect, where string) ([]row, error) {
	var r row
	var out []row
	text := sqltext.Select(d, Ledger, ledgerColumns) + "\nWHERE " + where + "\nORDER BY id"
	err := s.Query(ctx, text, nil, r.places(), func() error {
		out = append(out, r)
		return nil
	})
	return out, err
}

// readRow returns one row, and with lock keeps others from changing it until the transaction of s ends;
// ErrNotFound where there is none.
func readRow(ctx context.Context, s core.Session, d sqltext.Dialect, id string, lock bool) (row, error) {
	var r row
	text := sqltext.Get(d, Ledger, ledgerColumns, []string{"id"})
	if lock && d != sqltext.SQLite {
		text += "\nFOR UPDATE"
	}
	err := s.QueryRow(ctx, text, []any{id}, r.places())
	return r, err
}

// insert adds the row; ErrBusy where another process has.
func (r *row) insert(ctx context.Context, s core.Session, d sqltext.Dialect) error {
	values, err := plain(r.values())
	if err != nil {
		return err
	}
	_, err = s.Exec(ctx, sqltext.Insert(d, Ledger, ledgerColumns, false), values)
	if errors.Is(err, store.ErrConflict) {
		return fmt.Errorf("store: another process has begun %s: %w", r.ID, store.ErrBusy)
	}
	return err
}

// set is the change of a row: columns and their values.
type set struct {
	columns []string
	values  []any
}

// update changes the row with an id.
func (c set) update(ctx context.Context, s core.Session, d sqltext.Dialect, id string) error {
	values, err := plain(append(c.values, id))
	if err != nil {
		return err
	}
	res, err := s.Exec(ctx, sqltext.Update(d, Ledger, c.columns, nil), values)
	if err == nil && res.RowsAffected != 1 {
		err = fmt.Errorf("store: the row %s of %s: %w", id, Ledger, errGone)
	}
	return err
}

var errGone = errors.New("it is gone")

func deleteRow(ctx context.Context, s core.Session, d sqltext.Dialect, id string) error {
	_, err := s.Exec(ctx, sqltext.Delete(d, Ledger), []any{id})
	return err
}

// doing describes the work of another process, for those that wait for it.
func (r *row) doing() string {
	text := fmt.Sprintf("%s, which %s began at %s; %d statements have been recorded", r.ID, r.Program,
		r.StartedAt.Format(time.RFC3339), r.Statement)
	if r.RowsDone > 0 {
		text += fmt.Sprintf(", and %s of the data step that runs", progress(r.RowsDone, r.RowsTotal))
	}
	return text
}

// begun says who began a migration that has not ended, and why it failed.
func (r *row) begun() string {
	if r.Failure != "" {
		return fmt.Sprintf("begun by %s, and failed: %s", r.Program, r.Failure)
	}
	return fmt.Sprintf("begun by %s, and not ended", r.Program)
}

func progress(done, total int64) string {
	if total > 0 {
		return fmt.Sprintf("%d of %d rows", done, total)
	}
	return fmt.Sprintf("%d rows", done)
}

// short cuts a text to the length that the ledger keeps.
func short(s string) string {
	const most = 1000
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "")
	}
	return s
}
