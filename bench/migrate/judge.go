package migrate

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/store/migrate"
	"github.com/hegner123/modulagen/runtime/store/migrate/script"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// effects are what a plan did to a database, measured while it ran on a table with rows. Both
// sides are measured by the same code.
type effects [6]int

const (
	rewrites = iota // statements that wrote a table again: in place, or as a copy
	holds           // statements during which writers of a table wait, for as long as it is large
	updates         // UPDATEs, whose rows no one else writes until they end
	loses           // columns that do not hold what they held under their old names
	fails           // plans that the rows or the database refused
	differs         // plans after which the tables are not those of the definitions
)

var effectNames = [len(effects{})]struct{ short, long string }{
	rewrites: {"rewrites", "tables written again"},
	holds:    {"holds", "statements that hold writers up"},
	updates:  {"updates", "updates of rows"},
	loses:    {"loses", "columns whose values are lost"},
	fails:    {"fails", "plans that fail on rows"},
	differs:  {"differs", "plans that end with other tables"},
}

func (e effects) plus(o effects) effects {
	for i := range e {
		e[i] += o[i]
	}
	return e
}

func (e effects) String() string {
	var parts []string
	for i, n := range e {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", effectNames[i].short, n))
		}
	}
	if len(parts) == 0 {
		return "-"
	}
	return strings.Join(parts, ", ")
}

// trialRows are so many that a statement which reads or writes all of them can be distinguished from
// one that does not.
const trialRows = 9000

// trial is one plan on a database of its own.
type trial struct {
	effects
	*database
	conn  *sql.Conn
	pages pages // of SQLite, after the last statement
	log   strings.Builder
}

// watch runs a step, and adds what it does to the effects. The error is that of a statement.
type watch func(ctx context.Context, t *trial, step script.Step) error

var watches = map[model.Database]watch{
	model.SQLite: watchSQLite, model.Postgres: watchPostgres, model.MySQL: watchMySQL,
}

// judge runs a plan on the tables of before, with rows.
func judge(ctx context.Context, s *server, p *comparison, steps []script.Step) (t *trial, err error) {
	d, err := s.fresh(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, d.drop()) }()
	t = &trial{database: d}
	if err := d.create(ctx, p.before); err != nil {
		return nil, err
	}
	if t.conn, err = d.Conn(ctx); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, t.conn.Close()) }()
	if err := t.rows(ctx, s.db); err != nil {
		return nil, err
	}
	held := make([]string, len(p.renames))
	for i, r := range p.renames {
		if held[i], err = t.values(ctx, s.db, r.from, "held"); err != nil {
			return nil, err
		}
	}
	for _, step := range steps {
		if err := watches[s.db](ctx, t, step); err != nil {
			t.effects[fails]++
			fmt.Fprintf(&t.log, "  failed: %v\n", err)
			return t, nil
		}
	}
	for i, r := range p.renames {
		now, err := t.values(ctx, s.db, r.to, "kept")
		if err != nil {
			return nil, err
		}
		if now != held[i] {
			t.effects[loses]++
		}
	}
	return t, t.compare(ctx, p.after)
}

var dialects = map[model.Database]sqltext.Dialect{
	model.SQLite: sqltext.SQLite, model.Postgres: sqltext.Postgres, model.MySQL: sqltext.MySQL,
}

// did records what a statement did.
func (t *trial) did(text, how string, e effects) {
	t.effects = t.effects.plus(e)
	fmt.Fprintf(&t.log, "  %-8s %s %s\n", e, strings.ReplaceAll(text, "\n", "\n           "), how)
}

// rows fills the tables with rows of which no two have the same title.
func (t *trial) rows(ctx context.Context, db model.Database) error {
	digits := "(SELECT 0 AS d UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9)"
	title, body := "'title ' || n", "'body ' || n || ' of some length, so that the table has more pages than its indexes'"
	if db == model.MySQL {
		title, body = "CONCAT('title ', n)", "CONCAT('body ', n, ' of some length, so that the table has more pages than its indexes')"
	}
	for _, text := range []string{
		"INSERT INTO author (id, name) VALUES (1, 'one'), (2, 'two')",
		fmt.Sprintf(`INSERT INTO article (title, body, views, price, status, author)
			SELECT %s, %s, n, n, CASE WHEN n %% 2 = 0 THEN 'draft' ELSE 'published' END, 1 + n %% 2
			FROM (SELECT a.d + 10 * b.d + 100 * c.d + 1000 * e.d AS n FROM %s AS a, %s AS b, %s AS c, %s AS e) AS numbers
			WHERE n < %d`, title, body, digits, digits, digits, digits, trialRows),
	} {
		if _, err := t.conn.ExecContext(ctx, text); err != nil {
			return err
		}
	}
	return nil
}

// values returns what a column of article holds in all rows. The query has a name, as PostgreSQL
// keeps plans of queries, which do not bear another type.
func (t *trial) values(ctx context.Context, db model.Database, column, name string) (all string, err error) {
	rows, err := t.conn.QueryContext(ctx, fmt.Sprintf("SELECT %s AS %s FROM article ORDER BY id", dialects[db].Quote(column), name))
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	var b strings.Builder
	for rows.Next() {
		var value sql.NullString
		if err := rows.Scan(&value); err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "%t %q\n", value.Valid, value.String)
	}
	return b.String(), rows.Err()
}

// compare compares the tables with those of the definitions.
func (t *trial) compare(ctx context.Context, after *core.Schema) error {
	return with(ctx, t.dsn, func(db *core.DB) error {
		b, _ := core.Below(db)
		found, err := migrate.Verify(ctx, b, after)
		if err != nil {
			return err
		}
		if len(found.Differences) > 0 {
			t.effects[differs]++
			fmt.Fprintf(&t.log, "  differs: %s\n", strings.Join(found.Differences, "\n           "))
		}
		return nil
	})
}

// isUpdate reports whether a statement changes rows that are there.
func isUpdate(text string) bool { return strings.HasPrefix(strings.ToUpper(text), "UPDATE ") }
