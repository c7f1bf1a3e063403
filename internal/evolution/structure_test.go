package evolution_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// structure is all that a database says of its tables and what belongs to them, a line for
// each part, without the order of columns.
func structure(t testing.TB, c *core.Conn) []string {
	t.Helper()
	var out []string
	switch model.Databases[c.Dialect()] {
	case model.SQLite:
		out = sqliteStructure(t, c)
	case model.Postgres:
		out = texts(t, c, postgresStructure)
	case model.MySQL:
		for _, table := range texts(t, c, "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()") {
			out = append(out, mysqlStructure(t, c, table)...)
		}
		out = append(out, texts(t, c, "SELECT CONCAT('trigger ', TRIGGER_NAME) FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = DATABASE()")...)
	}
	out = slices.DeleteFunc(out, func(l string) bool { return ofRunner.MatchString(l) })
	slices.Sort(out)
	return out
}

// ofRunner are the lines about what the runner keeps for itself.
var ofRunner = regexp.MustCompile(`\bmodulagen_(migrations|programs)`)

var (
	sqliteCheck = regexp.MustCompile(`(?s)CONSTRAINT (\w+) CHECK \(`)
	spaces      = regexp.MustCompile(`\s+`)
)

func sqliteStructure(t testing.TB, c *core.Conn) []string {
	out := texts(t, c, `SELECT 'column ' || m.name || ' ' || x.name || ' ' || x.type || ' notnull=' || x."notnull" || ' default=' || coalesce(x.dflt_value, '-') || ' pk=' || x.pk || ' hidden=' || x.hidden
		FROM sqlite_schema AS m, pragma_table_xinfo(m.name) AS x WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'`)
	out = append(out, texts(t, c, `SELECT 'key ' || m.name || ' ' || k."from" || ' to ' || k."table" || '.' || coalesce(k."to", '-') || ' ' || k.on_delete
		FROM sqlite_schema AS m, pragma_foreign_key_list(m.name) AS k WHERE m.type = 'table'`)...)
	for _, x := range texts(t, c, "SELECT type || ' ' || sql FROM sqlite_schema WHERE type IN ('index', 'trigger', 'view') AND sql IS NOT NULL") {
		out = append(out, plain(x))
	}
	for _, x := range texts(t, c, "SELECT name || ' ' || sql FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'") {
		table, sql, _ := strings.Cut(x, " ")
		strict, auto := strings.HasSuffix(strings.TrimSpace(sql), "STRICT"), strings.Contains(sql, "AUTOINCREMENT")
		out = append(out, fmt.Sprintf("table %s strict=%v autoincrement=%v", table, strict, auto))
		for _, at := range sqliteCheck.FindAllStringSubmatchIndex(sql, -1) {
			out = append(out, "check "+table+" "+sql[at[2]:at[3]]+" "+plain(enclosed(sql[at[1]:])))
		}
	}
	return out
}

// enclosed is the text up to the parenthesis that closes one before it.
func enclosed(text string) string {
	depth, quoted := 1, false
	for i := range len(text) {
		switch c := text[i]; {
		case c == '\'':
			quoted = !quoted
		case quoted:
		case c == '(':
			depth++
		case c == ')':
			if depth--; depth == 0 {
				return text[:i]
			}
		}
	}
	return text
}

// plain leaves out what a database writes in its own way: quotes and white space.
func plain(sql string) string {
	return strings.TrimSpace(spaces.ReplaceAllString(strings.ReplaceAll(sql, `"`, ""), " "))
}

const postgresStructure = `
	SELECT 'column ' || c.relname || ' ' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || ' notnull=' || a.attnotnull || ' identity=' || a.attidentity::text
		|| ' collation=' || coalesce(l.collname, '-') || ' default=' || coalesce(pg_get_expr(d.adbin, d.adrelid), '-')
	FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid LEFT JOIN pg_collation AS l ON l.oid = a.attcollation
		LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
	WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
	UNION ALL
	SELECT 'constraint ' || c.relname || ' ' || k.conname || ' ' || pg_get_constraintdef(k.oid)
	FROM pg_constraint AS k JOIN pg_class AS c ON c.oid = k.conrelid WHERE c.relnamespace = current_schema()::regnamespace
	UNION ALL
	SELECT replace(pg_get_indexdef(x.indexrelid), current_schema() || '.', '') || ' valid=' || x.indisvalid
	FROM pg_index AS x JOIN pg_class AS c ON c.oid = x.indrelid WHERE c.relnamespace = current_schema()::regnamespace
	UNION ALL
	SELECT 'relation ' || c.relkind::text || ' ' || c.relname FROM pg_class AS c WHERE c.relnamespace = current_schema()::regnamespace
	UNION ALL
	SELECT 'trigger ' || tgname FROM pg_trigger JOIN pg_class AS c ON c.oid = tgrelid WHERE c.relnamespace = current_schema()::regnamespace AND NOT tgisinternal
	UNION ALL
	SELECT 'function ' || proname FROM pg_proc WHERE pronamespace = current_schema()::regnamespace`

var increment = regexp.MustCompile(` AUTO_INCREMENT=\d+`)

func mysqlStructure(t testing.TB, c *core.Conn, table string) []string {
	t.Helper()
	var name, text string
	if err := c.QueryRow(t.Context(), "SHOW CREATE TABLE "+c.Dialect().Quote(table), nil, []any{&name, &text}); err != nil {
		t.Fatal(err)
	}
	var out []string
	for line := range strings.Lines(text) {
		line = increment.ReplaceAllString(strings.TrimSuffix(strings.TrimSpace(line), ","), "")
		out = append(out, table+" "+line)
	}
	return out
}

// differ lists the lines that only one of two structures has.
func differ(migrated, fresh []string) []string {
	var out []string
	for _, l := range migrated {
		if !slices.Contains(fresh, l) {
			out = append(out, "only in the migrated one: "+l)
		}
	}
	for _, l := range fresh {
		if !slices.Contains(migrated, l) {
			out = append(out, "only in a fresh one:      "+l)
		}
	}
	return out
}
