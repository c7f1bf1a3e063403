package postgres

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Error is a failure as the server reports it, for errors.As, without what
// could hold a row's values.
type Error struct {
	Code       string // SQLSTATE
	Constraint string
	Column     string
	Message    string
}

// Error returns the server's words.
func (e *Error) Error() string { return fmt.Sprintf("postgres: %s (%s)", e.Message, e.Code) }

// failure marks an error with the store's sentinels.
func failure(ctx context.Context, err error) error {
	if errors.Is(err, pgx.ErrTxCommitRollback) {
		return fmt.Errorf("postgres: the transaction had failed before it was to be committed: %w", store.ErrClosed)
	}
	pg, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		if ended := core.Ended(ctx); ended != nil {
			return ended
		}
		if wrong := unfit(err); wrong != nil {
			return wrong
		}
		return fmt.Errorf("postgres: %w", err)
	}
	e := &Error{Code: pg.Code, Constraint: pg.ConstraintName, Column: pg.ColumnName, Message: pg.Message}
	switch pg.Code {
	case "23505":
		return &store.ConflictError{Datatype: pg.TableName, Key: pg.ConstraintName}
	case "23503", "23001":
		e.Message = "foreign key " + pg.ConstraintName
		return &store.ReferenceError{
			Key: pg.ConstraintName, From: pg.TableName, Cause: e,
			// The server says it in words only, and perhaps in another language.
			Missing: strings.HasPrefix(pg.Message, "insert or update on table"),
			Pointed: strings.HasPrefix(pg.Message, "update or delete on table"),
		}
	case "23514", "23502":
		e.Message = strings.TrimSpace("a constraint does not hold: " + pg.ConstraintName + " " + pg.ColumnName)
		return &core.RefusedError{
			Datatype: pg.TableName, Check: pg.ConstraintName, Column: pg.ColumnName, Null: pg.Code == "23502", Cause: e,
		}
	case "40001", "40P01", "55P03", readOnly: // a connection to the primary is made for the next attempt
		return core.Coded(store.ErrBusy, e)
	case "0A000":
		if pg.Routine == "RevalidateCachedQuery" { // a migration has changed a column's type; the next attempt prepares the statement anew
			return core.Coded(store.ErrBusy, e)
		}
	case "53100", "53200":
		return core.Coded(store.ErrFull, e)
	case "42601":
		if !plainWord.MatchString(pg.Message) { // an argument, where the statement holds them
			e.Message = "the statement's syntax is wrong"
		}
	case "57014":
		if ended := core.Ended(ctx); ended != nil {
			return ended
		}
	}
	if strings.HasPrefix(pg.Code, "22") { // the server quotes the value that it refuses
		e.Message = strings.TrimSpace("the database refuses a value " + pg.ColumnName)
		return core.Coded(store.ErrInvalid, e)
	}
	return e
}

// plainWord finds a syntax error's message that quotes a word of the statement.
var plainWord = regexp.MustCompile(`"([A-Za-z_][A-Za-z_0-9]*|\$\d+|[^\w\s'"])"$|at end of input$`)

// unfitArgument finds pgx's error about an argument, which quotes it.
var unfitArgument = regexp.MustCompile(`failed to encode args\[(\d+)\]|unable to encode `)

// unfit says which argument is not of the type that the statement takes; nil for
// another error.
func unfit(err error) error {
	m := unfitArgument.FindStringSubmatch(err.Error())
	if m == nil {
		return nil
	}
	which := "a value"
	if n, err := strconv.Atoi(m[1]); err == nil {
		which = "argument " + strconv.Itoa(n+1)
	}
	return core.Coded(store.ErrInvalid, errors.New("postgres: "+which+" is not of the type that the statement takes"))
}
