package migrate

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/go-sql-driver/mysql"

	"github.com/hegner123/modulagen/runtime/store/migrate/script"
)

// ways are how MySQL may change a table, in the order in which it chooses for itself where a
// statement does not say. INPLACE takes in what MariaDB calls NOCOPY; whether it wrote the table
// again shows afterwards.
var ways = []string{
	"ALGORITHM=INSTANT", "ALGORITHM=INPLACE, LOCK=NONE", "ALGORITHM=INPLACE, LOCK=SHARED", "ALGORITHM=INPLACE, LOCK=EXCLUSIVE",
	"ALGORITHM=COPY, LOCK=SHARED", "ALGORITHM=COPY, LOCK=EXCLUSIVE",
}

var (
	stated    = regexp.MustCompile(`(?is),\s*(ALGORITHM=.*)$`)
	unlocked  = regexp.MustCompile(`INSTANT|LOCK=NONE`)
	alters    = regexp.MustCompile(`(?is)^ALTER TABLE`)
	unallowed = []uint16{1800, 1801, 1845, 1846, 4092} // a way that a change does not have
)

// watchMySQL runs a step's statements. A way that the server refuses changes nothing, so that the
// first that it accepts is how it changes the table: of those that the statement states, as the
// runner tries them, or of all.
func watchMySQL(ctx context.Context, t *trial, step script.Step) error {
	for _, st := range step.Statements {
		before, err := t.tableIDs(ctx)
		if err != nil {
			return err
		}
		var e effects
		way, err := t.alter(ctx, st)
		if err != nil {
			return err
		}
		after, err := t.tableIDs(ctx)
		if err != nil {
			return err
		}
		if way != "" && !unlocked.MatchString(way) {
			e[holds] = 1
		}
		for name, id := range after {
			if old, ok := before[name]; ok && old != id {
				e[rewrites] = 1
			}
		}
		if isUpdate(st.SQL) {
			e[updates] = 1
		}
		t.did(stated.ReplaceAllString(st.SQL, ""), way, e)
	}
	return nil
}

// alter runs a statement, and returns the way in which the server changed the table.
func (t *trial) alter(ctx context.Context, st script.Statement) (string, error) {
	text, try := st.SQL, ways
	if m := stated.FindStringSubmatchIndex(text); m != nil {
		try = append([]string{text[m[2]:]}, st.Or...)
		text = text[:m[0]]
	} else if !alters.MatchString(text) {
		_, err := t.conn.ExecContext(ctx, text)
		return "", err
	}
	for i, way := range try {
		_, err := t.conn.ExecContext(ctx, strings.TrimSuffix(text, ";")+", "+way)
		refused, ok := errors.AsType[*mysql.MySQLError](err)
		if err == nil {
			return way, nil
		}
		if !ok || !slices.Contains(unallowed, refused.Number) || i == len(try)-1 {
			return "", err
		}
	}
	return "", nil
}

// tableIDs are InnoDB's ids of tables: one that is written again, in place or as a copy, has
// another.
func (t *trial) tableIDs(ctx context.Context) (ids map[string]int64, err error) {
	var list string // MariaDB and MySQL call it differently
	err = t.conn.QueryRowContext(ctx, "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'information_schema' AND TABLE_NAME IN ('INNODB_SYS_TABLES', 'INNODB_TABLES')").Scan(&list)
	if err != nil {
		return nil, err
	}
	rows, err := t.conn.QueryContext(ctx, "SELECT NAME, TABLE_ID FROM information_schema."+list+" WHERE NAME LIKE CONCAT(DATABASE(), '/%')")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	ids = map[string]int64{}
	for rows.Next() {
		var name string
		var id int64
		if err := rows.Scan(&name, &id); err != nil {
			return nil, err
		}
		ids[name] = id
	}
	return ids, rows.Err()
}
