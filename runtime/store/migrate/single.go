package migrate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/store/migrate/script"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// single runs a unit by itself: statements that MySQL cannot roll back, and indexes that PostgreSQL builds concurrently.
func (r *run) single(ctx context.Context, from int, at row) error {
	u := &r.units[from]
	if u.first {
		r.start(ctx, u)
	}
	if u.first && !at.Begun {
		if err := r.refuse(ctx, r.m, u.step); err != nil {
			return r.failed(u, err)
		}
	}
	err := r.patiently(ctx, u, "locking what step "+fmt.Sprint(u.number)+" of "+r.sc.Name+" changes", func() error {
		switch {
		case u.st == nil:
			return r.advance(ctx, r.m, from+1)
		case undoable(r.d, u.st):
			return r.undoably(ctx, u, from)
		}
		return r.recorded(ctx, u, from, &at)
	})
	if err != nil {
		return r.failed(u, r.because(ctx, u.step, err))
	}
	if u.last {
		r.stop(ctx, u)
	}
	return nil
}

// because adds to the error of a statement the rows that do not fit: they may have been written since the
// step looked for them, or before a process that was killed went on.
func (r *run) because(ctx context.Context, step *script.Step, err error) error {
	if errors.Is(err, store.ErrBusy) || ctx.Err() != nil {
		return err
	}
	if rows, ok := errors.AsType[*RowsError](r.refuse(ctx, r.m, step)); ok {
		return fmt.Errorf("%w: %w", err, rows)
	}
	return err
}

// undoably runs a statement with its record in one transaction.
func (r *run) undoably(ctx context.Context, u *unit, from int) error {
	tx, err := r.m.Begin(ctx)
	if err != nil {
		return err
	}
	defer r.rollback(ctx, tx)
	if _, err := r.still(ctx, tx, from); err != nil {
		return err
	}
	if err := r.exec(ctx, tx, u.st.SQL); err != nil {
		return err
	}
	if err := r.advance(ctx, tx, from+1); err != nil {
		return err
	}
	return tx.Commit(ctx)
}

// recorded runs a statement between two records. Where the first record is there already, a process
// was killed or the statement failed, and the tables show whether it took effect.
func (r *run) recorded(ctx context.Context, u *unit, from int, at *row) error {
	if at.Begun && len(u.st.Done) > 0 {
		done, err := r.done(ctx, u.st.Done)
		if err != nil {
			return err
		}
		if done {
			r.o.Logger.InfoContext(ctx, "store: migration: a statement has taken effect before", "migration", r.sc.Name, "step", u.number, "line", u.st.Line)
			return r.advance(ctx, r.m, from+1)
		}
	}
	if !at.Begun {
		if err := (set{[]string{"begun"}, []any{true}}).update(ctx, r.m, r.d, r.sc.Name); err != nil {
			return err
		}
		at.Begun = true
	}
	if err := r.dropInvalid(ctx, u.st.Done); err != nil {
		return err
	}
	err := r.oneWay(ctx, u.st)
	for tries := 0; err != nil && tries < rowTries && !errors.Is(err, store.ErrBusy); tries++ {
		if len(u.st.Done) > 0 { // the statement may have taken effect, and its answer been lost
			if done, failed := r.done(ctx, u.st.Done); failed != nil || done {
				return errors.Join(err, failed)
			}
		}
		again, failed := r.again(ctx, u)
		if failed != nil || !again {
			return errors.Join(err, failed)
		}
		err = r.oneWay(ctx, u.st)
	}
	if err != nil {
		return err
	}
	return r.advance(ctx, r.m, from+1)
}

// rowTries is how often a statement is tried again after rows that it refused were changed.
const rowTries = 5

// again runs the repeatable statements of a step that come before one that failed, and that change the rows which
// it refuses: others may have written more of them since. It returns false where there are none.
func (r *run) again(ctx context.Context, u *unit) (again bool, err error) {
	for i := range u.step.Statements {
		st := &u.step.Statements[i]
		if st == u.st || err != nil {
			break
		}
		if st.Repeatable && slices.Contains(rowWords, firstWord(st.SQL)) {
			again = true
			err = r.exec(ctx, r.m, st.SQL)
		}
	}
	return again, err
}

// oneWay runs a statement, and tries its other clauses where the database refuses the first.
func (r *run) oneWay(ctx context.Context, st *script.Statement) error {
	err := r.exec(ctx, r.m, st.SQL)
	for _, or := range st.Or {
		if err == nil || !r.m.Refuses(err) {
			return err
		}
		r.o.Logger.InfoContext(ctx, "store: migration: the database refuses a way of changing the table; trying another",
			"migration", r.sc.Name, "line", st.Line, "next", or, "error", err)
		err = r.exec(ctx, r.m, otherwise(st.SQL, or))
	}
	if err != nil && r.m.Refuses(err) {
		return fmt.Errorf("the database would have to copy the table, and was not allowed to: %w; "+
			"where it may, add \"-- or: ALGORITHM=COPY\" before the statement", err)
	}
	return err
}

// otherwise puts another clause in place of a statement's last one.
func otherwise(sql, clause string) string {
	at := strings.LastIndex(strings.ToUpper(sql), "ALGORITHM=")
	if at < 0 {
		if at = strings.LastIndexByte(sql, ','); at < 0 {
			return sql + " " + clause
		}
		return sql[:at+1] + " " + clause
	}
	return sql[:at] + clause
}

// done reports whether all of the probes hold.
func (r *run) done(ctx context.Context, probes []script.Probe) (bool, error) {
	for _, p := range probes {
		there, err := exists(ctx, r.m, r.d, p)
		if err != nil {
			return false, fmt.Errorf("looking for %s: %w", p, err)
		}
		if there == p.Missing {
			return false, nil
		}
	}
	return true, nil
}

// probes are the queries for what a probe names: the number of such things, given the table and,
// but for a table, the name. PostgreSQL's index counts when it is valid.
var probes = [...]map[string]string{
	sqltext.SQLite: {},
	sqltext.Postgres: {
		"table": `SELECT count(*) FROM pg_class AS c WHERE c.relkind IN ('r', 'p') AND pg_table_is_visible(c.oid) AND c.relname = $1`,
		"column": `SELECT count(*) FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
			WHERE pg_table_is_visible(c.oid) AND c.relname = $1 AND a.attname = $2 AND NOT a.attisdropped`,
		"index": `SELECT count(*) FROM pg_index AS x JOIN pg_class AS c ON c.oid = x.indrelid JOIN pg_class AS i ON i.oid = x.indexrelid
			WHERE pg_table_is_visible(c.oid) AND c.relname = $1 AND i.relname = $2 AND x.indisvalid`,
		"constraint": `SELECT count(*) FROM pg_constraint AS k JOIN pg_class AS c ON c.oid = k.conrelid
			WHERE pg_table_is_visible(c.oid) AND c.relname = $1 AND k.conname = $2`,
		"trigger": `SELECT count(*) FROM pg_trigger AS g JOIN pg_class AS c ON c.oid = g.tgrelid
			WHERE pg_table_is_visible(c.oid) AND c.relname = $1 AND g.tgname = $2`,
	},
	sqltext.MySQL: {
		"table":  `SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ?`,
		"column": `SELECT COUNT(*) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ? AND COLUMN_NAME = ?`,
		"index": `SELECT COUNT(DISTINCT INDEX_NAME) FROM information_schema.STATISTICS
			WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ? AND INDEX_NAME = ?`,
		"constraint": `SELECT COUNT(*) FROM information_schema.TABLE_CONSTRAINTS
			WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ? AND CONSTRAINT_NAME = ?`,
		"trigger": `SELECT COUNT(*) FROM information_schema.TRIGGERS
			WHERE TRIGGER_SCHEMA = DATABASE() AND EVENT_OBJECT_TABLE = ? AND TRIGGER_NAME = ?`,
	},
}

func exists(ctx context.Context, s core.Session, d sqltext.Dialect, p script.Probe) (bool, error) {
	args := []any{p.Table}
	if p.Kind != "table" {
		args = append(args, p.Name)
	}
	var n int64
	err := s.QueryRow(ctx, probes[d][p.Kind], args, []any{&n})
	return n > 0, err
}

// dropInvalid drops an invalid index that a failed CREATE INDEX CONCURRENTLY has left: PostgreSQL maintains
// it and does not read it, and IF NOT EXISTS takes it for the index.
func (r *run) dropInvalid(ctx context.Context, done []script.Probe) error {
	if r.d != sqltext.Postgres {
		return nil
	}
	for _, p := range done {
		if p.Kind != "index" || p.Missing {
			continue
		}
		var n int64
		err := r.m.QueryRow(ctx, `SELECT count(*) FROM pg_index AS x JOIN pg_class AS i ON i.oid = x.indexrelid
			WHERE pg_table_is_visible(i.oid) AND i.relname = $1 AND NOT x.indisvalid`, []any{p.Name}, []any{&n})
		if err != nil {
			return err
		}
		if n == 0 {
			continue
		}
		r.o.Logger.InfoContext(ctx, "store: migration: an index that was left half built is dropped", "migration", r.sc.Name, "index", p.Name)
		if _, err := r.m.Exec(ctx, "DROP INDEX CONCURRENTLY IF EXISTS "+r.d.Quote(p.Name), nil); err != nil {
			return err
		}
	}
	return nil
}
