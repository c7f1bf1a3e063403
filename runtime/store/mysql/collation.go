package mysql

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/hegner123/modulagen/runtime/store/core"
)

// The generated DDL says utf8mb4_bin, which both servers and the generator's
// parser know. It compares by code point, but takes "a" and "a " for the same;
// each server has a collation of its own that does not.
const (
	padded        = "utf8mb4_bin"
	exactMariaDB  = "utf8mb4_nopad_bin"
	exactMySQL    = "utf8mb4_0900_bin"
	collationTail = " COLLATE=" + padded
)

// exactCollation is the server's collation that compares by code point and
// distinguishes trailing spaces.
func exactCollation(ctx context.Context, s core.Session) (string, error) {
	var version string
	if err := s.QueryRow(ctx, "SELECT VERSION()", nil, []any{&version}); err != nil {
		return "", err
	}
	if strings.Contains(strings.ToLower(version), "mariadb") {
		return exactMariaDB, nil
	}
	return exactMySQL, nil
}

// creator is a session whose new tables get the server's exact collation.
type creator struct {
	session
	collation string
}

func creating(ctx context.Context, s session) (creator, error) {
	collation, err := exactCollation(ctx, s)
	return creator{s, collation}, err
}

// Exec puts the collation at the end of a CREATE TABLE in place of the one there.
func (c creator) Exec(ctx context.Context, text string, args []any) (core.Result, error) {
	if head, ok := strings.CutSuffix(text, collationTail); ok {
		text = head + " COLLATE=" + c.collation
	}
	return c.session.Exec(ctx, text, args)
}

// inspectCollations says which tables compare text in another way, and what
// mends them.
func inspectCollations(ctx context.Context, s core.Session, tables []string, found []core.TableDef) error {
	var table, column, collation string
	others := map[string]string{}
	in, args := list(tables)
	err := s.Query(ctx, `
		SELECT TABLE_NAME, COLUMN_NAME, COLLATION_NAME
		FROM information_schema.COLUMNS
		WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME IN `+in+`
			AND COLLATION_NAME IS NOT NULL AND COLLATION_NAME NOT IN (?, ?)
		ORDER BY TABLE_NAME, ORDINAL_POSITION`,
		append(args, exactMariaDB, exactMySQL), []any{&table, &column, &collation}, func() error {
			at := slices.IndexFunc(found, func(t core.TableDef) bool { return t.Name == table })
			if at >= 0 && others[table] == "" && !isJSON(found[at], column) {
				others[table] = collation
			}
			return nil
		})
	if err != nil || len(others) == 0 {
		return err
	}
	exact, err := exactCollation(ctx, s)
	if err != nil {
		return err
	}
	for i := range found {
		t := &found[i]
		if c := others[t.Name]; c != "" {
			t.Wrong = append(t.Wrong, fmt.Sprintf("text is compared by the collation %s, it must be %s; without "+
				"its foreign keys on text: ALTER TABLE %s CONVERT TO CHARACTER SET utf8mb4 COLLATE %[2]s", c, exact, t.Name))
		}
	}
	return nil
}

// isJSON recognizes MariaDB's JSON columns, which are text with a check.
func isJSON(t core.TableDef, column string) bool {
	return len(t.Checks) > 0 && strings.Contains(t.Checks[0], "json_valid(`"+column+"`)")
}
