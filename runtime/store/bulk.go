package store

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// MaxBulk is how many rows one CreateMany takes.
const MaxBulk = 100_000

// bulkRows are the sizes in which MySQL is sent rows: few texts to prepare, any
// number made up of them.
var bulkRows = [...]int{256, 64, 16, 4, 1}

// maxMarks is how many placeholders a MySQL statement takes.
const maxMarks = 65_535

// CreateMany adds all the rows, or none, and gives their ids in order. Every
// row is checked before the first is written; the *ValidationError names the
// first row that breaks a rule.
func (t Table[R, ID, N, P]) CreateMany(ctx context.Context, ns []N) ([]ID, error) {
	if len(ns) == 0 {
		return nil, nil
	}
	if len(ns) > MaxBulk {
		return nil, invalidf("%s: %d rows at once; at most %d", t.s.Name, len(ns), MaxBulk)
	}
	width := len(t.s.Columns)
	rows := make([]R, len(ns))
	all := bulk{ids: make([]any, len(ns)), vals: make([]any, 0, len(ns)*width), width: width}
	sc := t.s.take()
	defer t.s.give(sc)
	for i := range ns {
		if _, err := t.prepare(&ns[i], &rows[i], sc); err != nil {
			if invalid, ok := errors.AsType[*ValidationError](err); ok {
				invalid.Row, invalid.many = i, true
			}
			return nil, err
		}
		all.ids[i] = sc.dest[0]
		all.vals = append(all.vals, sc.vals...)
	}
	err := t.c.InTx(ctx, func(c *Conn) error { return t.on(c).insertMany(ctx, all) })
	if err != nil {
		return nil, t.fail(err)
	}
	ids := make([]ID, len(ns))
	for i := range ids {
		ids[i] = idOf[ID](all.ids[i])
	}
	return ids, nil
}

// bulk is many rows.
type bulk struct {
	ids   []any // the places of their ids
	vals  []any // what is to be written, row after row, the id included
	width int
}

func (b bulk) len() int        { return len(b.ids) }
func (b bulk) row(i int) []any { return b.vals[i*b.width : (i+1)*b.width] }

func (t Table[R, ID, N, P]) insertMany(ctx context.Context, rows bulk) error {
	copier, ok := t.c.session.(Copier)
	switch {
	case ok:
		return t.copyMany(ctx, copier, rows)
	case t.st.dialect == sqltext.MySQL:
		return t.insertChunks(ctx, rows)
	}
	for i := range rows.len() { // in process, one prepared statement again and again is the fastest form
		sc := scratch{dest: rows.ids[i : i+1], vals: rows.row(i)}
		if err := t.insert(ctx, &sc); err != nil {
			return err
		}
	}
	return nil
}

// copyMany reserves the ids first, because COPY returns none.
func (t Table[R, ID, N, P]) copyMany(ctx context.Context, copier Copier, rows bulk) error {
	if t.s.ID == IDInteger {
		var id int64
		i := 0
		err := t.c.Query(ctx, "SELECT nextval(pg_get_serial_sequence($1, 'id')) FROM generate_series(1, $2::bigint)",
			[]any{t.st.table, int64(rows.len())}, []any{&id}, func() error {
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
	if err := t.c.enter(); err != nil {
		return err
	}
	err := copier.Copy(ctx, t.s.Name, t.st.names, rows.len(), func(i int) ([]any, error) { return rows.row(i), nil })
	t.c.leave(err)
	return err
}

// insertChunks adds rows in statements of several. MySQL gives the rows of one
// such statement consecutive ids, a fixed step apart, and reports the first.
func (t Table[R, ID, N, P]) insertChunks(ctx context.Context, rows bulk) error {
	step := int64(1)
	if t.s.ID == IDInteger {
		if err := t.c.QueryRow(ctx, "SELECT @@auto_increment_increment", nil, []any{&step}); err != nil {
			return err
		}
	}
	first := len(t.s.Columns) - len(t.st.insertAll)
	args := make([]any, 0, bulkRows[0]*len(t.st.insertAll))
	for at := 0; at < rows.len(); {
		n := t.chunk(rows.len() - at)
		args = args[:0]
		for i := at; i < at+n; i++ {
			args = append(args, rows.row(i)[first:]...)
		}
		res, err := t.c.Exec(ctx, t.insertText(n), args)
		if err != nil {
			return err
		}
		for i := 0; first == 1 && i < n; i++ {
			if err := Assign(rows.ids[at+i], res.LastID+int64(i)*step); err != nil {
				return err
			}
		}
		at += n
	}
	return nil
}

// chunk is the largest size that fits.
func (t Table[R, ID, N, P]) chunk(left int) int {
	for _, n := range bulkRows {
		if n <= left && n*len(t.st.insertAll) <= maxMarks {
			return n
		}
	}
	return 1
}

func (t Table[R, ID, N, P]) insertText(n int) string {
	return remembered(t.st, t.st.bulk, n, func() string {
		one := "(" + strings.TrimSuffix(strings.Repeat("?, ", len(t.st.insertAll)), ", ") + ")"
		return fmt.Sprintf("INSERT INTO %s (%s)\nVALUES %s", t.st.table, t.st.dialect.Columns(t.st.insertSet),
			strings.TrimSuffix(strings.Repeat(one+", ", n), ", "))
	})
}
