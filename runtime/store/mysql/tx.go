package mysql

import (
	"context"
	"database/sql"
	"errors"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// Transactions are begun and ended by statements like any other, and not by
// database/sql's own, which end without a context: a commit would wait for a
// server that is gone for as long as the kernel does.
const (
	begin    = "START TRANSACTION"
	readOnly = " READ ONLY"
	commit   = "COMMIT"
	rollback = "ROLLBACK"
)

var errSilent = errors.New("the server does not answer")

// Begin starts a transaction.
func (b *backend) Begin(ctx context.Context, opts store.TxOptions) (core.Transaction, error) {
	if err := b.enter(ctx); err != nil {
		return nil, err
	}
	t, err := b.begin(ctx, opts)
	if err != nil {
		b.leave()
		return nil, err
	}
	return t, nil
}

// begin does not wait for long where ctx has no end: a server that answers
// begins at once.
func (b *backend) begin(ctx context.Context, opts store.TxOptions) (*tx, error) {
	conn, err := b.db.Conn(ctx)
	if err != nil {
		return nil, failure(ctx, err)
	}
	soon, cancel := context.WithTimeoutCause(ctx, 2*answerWait, errSilent)
	defer cancel()
	for _, statement := range beginning(opts) {
		if _, err := conn.ExecContext(soon, statement); err != nil {
			discard(conn) // the level of its next transaction may be set
			conn.Close()
			return nil, failure(soon, err)
		}
	}
	return &tx{session: session{q: conn, readOnly: opts.ReadOnly}, conn: conn, b: b}, nil
}

// beginning are the statements that start a transaction.
func beginning(opts store.TxOptions) (statements []string) {
	if opts.Isolation != store.ReadCommitted { // which connections have, see setUp
		statements = append(statements, "SET TRANSACTION ISOLATION LEVEL "+opts.Isolation.String())
	}
	if opts.ReadOnly {
		return append(statements, begin+readOnly)
	}
	return append(statements, begin)
}

type tx struct {
	session
	conn *sql.Conn // nil when the transaction has ended
	b    *backend
}

// end returns the connection back; one that broke is closed.
func (t *tx) end() {
	t.conn.Close()
	t.b.leave()
	t.conn = nil
}

// Commit ends the transaction; after an error nothing of it stands, unless the
// connection broke, or ctx ended, while the server was committing.
func (t *tx) Commit(ctx context.Context) error {
	if ended := core.Ended(ctx); ended != nil {
		late, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerWait)
		defer cancel()
		return errors.Join(ended, t.Rollback(late))
	}
	defer t.end()
	if _, err := t.conn.ExecContext(ctx, commit); err != nil {
		discard(t.conn) // whether it is inside a transaction is not known
		return failure(ctx, err)
	}
	return nil
}

// Rollback ends the transaction and undoes it.
func (t *tx) Rollback(ctx context.Context) error {
	if t.conn == nil {
		return nil
	}
	defer t.end()
	if _, err := t.conn.ExecContext(ctx, rollback); err != nil {
		discard(t.conn) // the server rolls back what a closed connection had open
		return failure(ctx, err)
	}
	return nil
}
