package core

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// bulkRows are the sizes in which rows are sent: few texts to prepare, any
// number made up of them.
var bulkRows = [...]int{256, 64, 16, 4, 1}

// maxMarks is how many placeholders a statement takes: SQLite has the lower limit.
const maxMarks = 32_766

// bulkBytes is how many bytes of values a statement takes, or one row: it is held
// in memory more than once on its way. A server may take less.
const bulkBytes = 8 << 20

// createMany adds n rows; at returns the i-th as a *N, and the *R to fill. It
// returns the places of their ids.
func (a access) createMany(ctx context.Context, n int, at func(i int) (n, row any)) (ids []any, err error) {
	if len(a.s.Effects) > 0 {
		return a.createManyWithEffects(ctx, n, at)
	}
	return a.createRows(ctx, n, at)
}

func (a access) createRows(ctx context.Context, n int, at func(i int) (n, row any)) (ids []any, err error) {
	width := len(a.s.Columns)
	all := bulk{ids: make([]any, n), vals: make([]any, 0, n*width), width: width}
	sc := a.s.take()
	defer a.s.give(sc)
	for i := range n {
		given, row := at(i)
		if _, err := a.prepare(given, row, sc); err != nil {
			if invalid, ok := errors.AsType[*store.ValidationError](err); ok {
				invalid.Row, invalid.Many = i, true
			}
			return nil, err
		}
		all.ids[i] = sc.dest[0]
		all.vals = append(all.vals, sc.vals...)
	}
	err = a.c.InTx(ctx, func(c *Conn) error { return a.on(c).insertMany(ctx, all) })
	if err != nil {
		return nil, a.fail(err)
	}
	return all.ids, nil
}

// bulk is many rows.
type bulk struct {
	ids   []any // the places of their ids
	vals  []any // what is to be written, row after row, the id included
	width int
}

func (b bulk) len() int        { return len(b.ids) }
func (b bulk) row(i int) []any { return b.vals[i*b.width : (i+1)*b.width] }

func (a access) insertMany(ctx context.Context, rows bulk) error {
	if copier, ok := a.c.session.(Copier); ok {
		return a.copyMany(ctx, copier, rows)
	}
	return a.insertChunks(ctx, rows)
}

// copyMany reserves the ids first, because COPY returns none.
func (a access) copyMany(ctx context.Context, copier Copier, rows bulk) error {
	if a.s.ID == IDInteger {
		var id int64
		i := 0
		err := a.c.Query(ctx, "SELECT nextval(pg_get_serial_sequence($1, 'id')) FROM generate_series(1, $2::bigint)",
			[]any{a.st.table, int64(rows.len())}, []any{&id}, func() error {
				if i++; i > rows.len() {
					return nil
				}
				rows.row(i - 1)[0] = id
				return Assign(rows.ids[i-1], id)
			})
		if err != nil {
			return err
		}
		if i != rows.len() {
			return fmt.Errorf("store: the database gave %d ids for %d rows", i, rows.len())
		}
	}
	if err := a.c.enter(ctx); err != nil {
		return err
	}
	err := copier.Copy(ctx, a.s.Name, a.st.names, rows.len(), func(i int) ([]any, error) { return rows.row(i), nil })
	a.c.leave(err)
	return err
}

// insertChunks adds rows in statements of several. MySQL gives the rows of one
// such statement consecutive ids, a fixed step apart, and reports the first;
// SQLite, with its single writer, gives them one after the other and reports
// the last.
func (a access) insertChunks(ctx context.Context, rows bulk) error {
	step, mysql := int64(1), a.st.dialect == sqltext.MySQL
	if a.s.ID == IDInteger && mysql {
		if err := a.c.QueryRow(ctx, "SELECT @@auto_increment_increment", nil, []any{&step}); err != nil {
			return err
		}
	}
	first := len(a.s.Columns) - len(a.st.insertAll)
	args := make([]any, 0, bulkRows[0]*len(a.st.insertAll))
	for at := 0; at < rows.len(); {
		n := a.chunk(rows, at)
		args = args[:0]
		for i := at; i < at+n; i++ {
			args = append(args, rows.row(i)[first:]...)
		}
		res, err := a.c.Exec(ctx, a.insertText(n), args)
		if err != nil {
			return a.writtenOne(ctx, err, rows, at, n)
		}
		id := res.LastID
		if !mysql {
			id -= int64(n - 1)
		}
		for i := 0; first == 1 && i < n; i++ {
			if err := Assign(rows.ids[at+i], id+int64(i)*step); err != nil {
				return err
			}
		}
		at += n
	}
	return nil
}

// writtenOne finds the row of a chunk that points to nothing, where that is why the chunk failed and the
// database did not say. What is too large for the server is alone in its chunk.
func (a access) writtenOne(ctx context.Context, err error, rows bulk, at, n int) error {
	if large, ok := errors.AsType[*TooLargeError](err); ok {
		err = a.tooLarge(large, rows.row(at), nil, nil)
		if invalid, ok := errors.AsType[*store.ValidationError](err); ok {
			invalid.Row, invalid.Many = at, true
		}
		return err
	}
	for i := at; i < at+n; i++ {
		e, ok := errors.AsType[*store.ReferenceError](err)
		if !ok || e.Pointed || e.Field != "" {
			break
		}
		e.Missing = false // not yet known of which row
		err = a.pointing(ctx, err, rows.row(i), nil)
	}
	return err
}

// chunk returns how many rows from the one at at go into the next statement.
func (a access) chunk(rows bulk, at int) int {
	return a.c.chunk(rows.len()-at, len(a.st.insertAll), func(i int) []any { return rows.row(at + i) })
}

// chunk returns how many of n rows go into one statement, from the first: the
// largest of bulkRows that is within all limits.
func (c *Conn) chunk(n, width int, row func(i int) []any) int {
	most := min(n, bulkRows[0], max(1, maxMarks/width))
	limit := bulkBytes
	if b, ok := c.db.backend.(Bounded); ok {
		limit = min(limit, b.StatementBytes()/2)
	}
	fit := 0
	for bytes := 0; fit < most; fit++ {
		for _, v := range row(fit) {
			bytes += sizeOf(v)
		}
		if bytes > limit {
			break
		}
	}
	for _, n := range bulkRows {
		if n <= fit {
			return n
		}
	}
	return 1 // which may be too large for the server, and is refused then
}

// shortValue is about how many bytes a number or a time is sent as.
const shortValue = 16

// sizeOf is about how many bytes a plain value is sent as.
func sizeOf(v any) int {
	switch x := v.(type) {
	case string:
		return shortValue + len(x)
	case []byte:
		return shortValue + len(x)
	case json.RawMessage:
		return shortValue + len(x)
	}
	return shortValue
}

func (a access) insertText(n int) string {
	return remembered(a.st, a.st.bulk, n, func() string {
		one := "(" + strings.TrimSuffix(strings.Repeat("?, ", len(a.st.insertAll)), ", ") + ")"
		return fmt.Sprintf("INSERT INTO %s (%s)\nVALUES %s", a.st.table, a.st.dialect.Columns(a.st.insertSet),
			strings.TrimSuffix(strings.Repeat(one+", ", n), ", "))
	})
}
