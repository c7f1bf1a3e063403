package mysql

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/go-sql-driver/mysql"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// rowTooLarge is the server's error number for a table of which half a page, which is 8 KiB, could not hold a row.
const rowTooLarge = 1118

// writeRefused is the server's error number for a write in a transaction that is read-only.
const writeRefused = 1792

// tooLarge is the server's error number for a statement above max_allowed_packet.
const tooLarge = 1153

// resultTooLarge is that for a text to which more is appended than its limit allows.
const resultTooLarge = 1301

const tooLargeMessage = "the values of a statement are larger than the server's " + packetSetting

// Error is a failure as the server reports it, for errors.As, without what
// could hold a row's values.
type Error struct {
	Code    int // the server's error number
	Message string
}

// Error returns the server's words.
func (e *Error) Error() string { return fmt.Sprintf("mysql: %s (%d)", e.Message, e.Code) }

var columnOf = regexp.MustCompile("(?i)\\bcolumn '?`?[\\w$.`]*?`?\\.?`?(\\w+)`?'? at row")

// failure marks an error with the store's sentinels.
func failure(ctx context.Context, err error) error {
	my, ok := errors.AsType[*mysql.MySQLError](err)
	if large, ok := errors.AsType[*core.TooLargeError](err); ok {
		return large
	}
	if errors.Is(err, mysql.ErrPktTooLarge) {
		return core.Coded(store.ErrInvalid, &Error{Code: tooLarge, Message: tooLargeMessage})
	}
	if !ok {
		if ended := core.Ended(ctx); ended != nil {
			return ended
		}
		return fmt.Errorf("mysql: %w", err)
	}
	e := &Error{Code: int(my.Number), Message: my.Message}
	switch my.Number {
	case 1062, 1586:
		return conflict(my.Message)
	case 1216, 1217, 1451, 1452: // the message quotes the constraint, not the values
		return reference(e)
	case 3819, 4025:
		return check(e)
	case 1048, 1364:
		return &core.RefusedError{Column: nullOf(my.Message), Null: true, Cause: e}
	case 1264, 1265, 1292, 1366, 1406, 3140, 3141, 1411, 1690, 1367,
		1139, 1300, 1525, 1526, 1761, 1762, 3143, 3144, 3156:
		e.Message = refused(my.Message)
		return core.Coded(store.ErrInvalid, e)
	case writeRefused:
		e.Message += ": transaction_read_only is on, of the server or of its init_connect"
	case 1205, 1213, 1020, 3572:
		return core.Coded(store.ErrBusy, e)
	case 1021, 1114, 1041:
		return core.Coded(store.ErrFull, e)
	case tooLarge, resultTooLarge:
		e.Message = tooLargeMessage
		return core.Coded(store.ErrInvalid, e)
	case 1799: // the table was written to for longer than the server remembers
		e.Message += "; try it when less is written to the table, or with a larger innodb_online_alter_log_max_size, which SET GLOBAL changes on a running server"
	case rowTooLarge:
		e.Message += "; texts with a max of up to 63 count in full, and longer ones with 41 bytes: let the max of some be 64"
	case 1064: // it quotes the statement, whose arguments may stand in it
		e.Message = "the statement's syntax is wrong" + atLine(my.Message)
	case 1317, 1969, 3024:
		if ended := core.Ended(ctx); ended != nil {
			return ended
		}
	}
	return e
}

var lineOf = regexp.MustCompile(` at line \d+$`)

func atLine(message string) string { return lineOf.FindString(message) }

// refused says which column refuses a value; the server's message quotes it.
func refused(message string) string {
	if m := columnOf.FindStringSubmatch(message); m != nil {
		return "the database refuses a value of " + m[1]
	}
	return "the database refuses a value"
}

// nullOf reads "Column 'c' cannot be null" and "Field 'c' doesn't have a
// default value".
func nullOf(message string) string {
	if parts := strings.Split(message, "'"); len(parts) > 2 {
		return parts[1]
	}
	return ""
}

// broken reads "... a foreign key constraint fails (`db`.`article`, CONSTRAINT
// `article_author_fkey` FOREIGN KEY (`author`) REFERENCES `author` (`id`))".
var broken = regexp.MustCompile("`(\\w+)`, CONSTRAINT `(\\w+)` FOREIGN KEY \\(`(\\w+)`\\) REFERENCES (?:`\\w+`\\.)?`(\\w+)`")

func reference(e *Error) error {
	r := &store.ReferenceError{Missing: e.Code == 1216 || e.Code == 1452, Cause: e}
	r.Pointed = !r.Missing
	if m := broken.FindStringSubmatch(e.Message); m != nil {
		r.From, r.Key, r.Field, r.To = m[1], m[2], m[3], m[4]
	}
	return r
}

// refusing reads MySQL's "Check constraint 'name' is violated." and MariaDB's
// "CONSTRAINT `name` failed for `db`.`table`".
var refusing = regexp.MustCompile("(?i)constraint ['`](.+?)['`] (?:is violated|failed for `.+?`\\.`(.+?)`)")

func check(e *Error) error {
	r := &core.RefusedError{Cause: e}
	if m := refusing.FindStringSubmatch(e.Message); m != nil {
		r.Check, r.Datatype = m[1], m[2]
	}
	return r
}

// conflict reads the key from "Duplicate entry '...' for key 'article.article_slug_key'";
// MariaDB leaves the table out.
func conflict(message string) error {
	e := &store.ConflictError{}
	if at := strings.LastIndex(message, " for key "); at >= 0 {
		e.Key = strings.Trim(message[at+len(" for key "):], "'`")
		if table, key, ok := strings.Cut(e.Key, "."); ok {
			e.Datatype, e.Key = table, key
		}
	}
	return e
}
