package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/shopspring/decimal"

	"github.com/hegner123/modulagen/runtime/queue"
	"github.com/hegner123/modulagen/runtime/store"

	"shop/generated"
)

// columns of the supplier's list, in its order.
var columns = []string{"sku", "name", "price", "stock", "category", "released", "description"}

// batch is how many rows share a transaction.
const batch = 500

// importer reads one file. What a row has to be is in datatypes/product.yaml;
// only what is wrong before there is a product is found here.
type importer struct {
	db         *generated.DB
	file       string
	size       int64 // of the file, in bytes
	reader     *csv.Reader
	rows, good int64
	rejects    []generated.ImportRejectNew
	job        *generated.ImportDataJob
}

// A rowError is a row that is refused, and the field at fault.
type rowError struct{ field, reason string }

func (e *rowError) Error() string { return e.field + ": " + e.reason }

// row is one line of the file that may become a product.
type row struct {
	line    int
	product generated.ProductNew
}

// ImportData imports a list of products. Good rows are upserted by SKU, refused
// ones are written down with their line: running it twice ends in the same rows.
func (h *handlers) ImportData(ctx context.Context, job *generated.ImportDataJob) error {
	f, err := os.Open(job.Payload.CSVPath)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	im := &importer{db: h.db, file: job.Payload.CSVPath, size: info.Size(), job: job}
	if err := im.open(f); err != nil {
		return queue.Discard(err)
	}
	for {
		rows, err := im.next()
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if saveErr := im.save(ctx, rows); saveErr != nil {
			return saveErr
		}
		if err != nil {
			return im.finish(ctx)
		}
	}
}

// open skips a byte-order mark and reads the heading.
func (im *importer) open(f io.Reader) error {
	text := bufio.NewReader(f)
	if mark, err := text.Peek(3); err == nil && bytes.Equal(mark, []byte("\ufeff")) {
		if _, err := text.Discard(len(mark)); err != nil {
			return err
		}
	}
	im.reader = csv.NewReader(text)
	im.reader.FieldsPerRecord = -1 // a short row is refused, not the file
	heading, err := im.reader.Read()
	if err != nil {
		return fmt.Errorf("heading: %w", err)
	}
	if strings.Join(heading, ",") != strings.Join(columns, ",") {
		return fmt.Errorf("heading %q, expected %q", heading, columns)
	}
	return nil
}

// next reads up to a batch of rows. It gives io.EOF with the last ones.
func (im *importer) next() ([]row, error) {
	var rows []row
	for len(rows) < batch {
		record, err := im.reader.Read()
		if errors.Is(err, io.EOF) {
			return rows, err
		}
		im.rows++
		var wrong *csv.ParseError
		if errors.As(err, &wrong) {
			im.reject(wrong.StartLine, &rowError{"quotes", wrong.Err.Error()})
			continue
		}
		if err != nil {
			return nil, err
		}
		line, _ := im.reader.FieldPos(0)
		product, err := parse(record)
		if err != nil {
			im.reject(line, err)
			continue
		}
		rows = append(rows, row{line, product})
	}
	return rows, nil
}

// parse turns the text of a row into a product. The rules of the datatype are
// not repeated here: the store holds every product to them.
func parse(record []string) (p generated.ProductNew, err error) {
	if len(record) != len(columns) {
		return p, &rowError{"columns", fmt.Sprintf("%d columns instead of %d", len(record), len(columns))}
	}
	for i, field := range record {
		if !utf8.ValidString(field) || strings.ContainsRune(field, 0) {
			return p, &rowError{"encoding", columns[i] + " is not UTF-8 text"}
		}
		record[i] = strings.TrimSpace(field)
	}
	p.SKU, p.Name, p.Category = record[0], record[1], generated.ProductCategory(record[4])
	if p.Price, err = decimal.NewFromString(record[2]); err != nil {
		return p, &rowError{"price", fmt.Sprintf("%q is not a number", record[2])}
	}
	if p.Stock, err = strconv.ParseInt(record[3], 10, 64); err != nil {
		return p, &rowError{"stock", fmt.Sprintf("%q is not a whole number", record[3])}
	}
	// What the row leaves empty is emptied, where an earlier row of the SKU filled it.
	p.Released, p.Description = store.SetNull[store.Date](), store.SetNull[string]()
	if record[5] != "" {
		day, err := time.Parse(time.DateOnly, record[5])
		if err != nil {
			return p, &rowError{"released", fmt.Sprintf("%q is not a date", record[5])}
		}
		p.Released = store.Set(store.DateOf(day))
	}
	if record[6] != "" {
		p.Description = store.Set(record[6])
	}
	return p, nil
}

// save writes rows in one transaction. A product that breaks its datatype's
// rules is refused and the others go on.
func (im *importer) save(ctx context.Context, rows []row) error {
	type refusal struct {
		line int
		err  error
	}
	var refused []refusal
	err := im.db.Tx(ctx, func(tx *generated.Tx) error {
		refused = nil // a transaction that met another starts again
		for _, row := range rows {
			_, err := tx.Product.UpsertBySKU(ctx, row.product)
			if errors.Is(err, store.ErrInvalid) {
				refused = append(refused, refusal{row.line, err})
				continue
			}
			if err != nil {
				return fmt.Errorf("line %d: %w", row.line, err)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, r := range refused {
		im.reject(r.line, r.err)
	}
	im.good += int64(len(rows) - len(refused))
	im.job.Progress(float64(im.reader.InputOffset())/float64(im.size), fmt.Sprintf("%d rows", im.rows))
	return nil
}

// reject writes down why a row was not taken.
func (im *importer) reject(line int, err error) {
	reject := generated.ImportRejectNew{File: im.file, Line: int64(line), Field: "row", Reason: err.Error()}
	var before *rowError
	var invalid *store.ValidationError
	switch {
	case errors.As(err, &before):
		reject.Field, reject.Reason = before.field, before.reason
	case errors.As(err, &invalid):
		reject.Field, reject.Reason = invalid.Violations[0].Field, invalid.Violations[0].Message
	}
	im.rejects = append(im.rejects, reject)
}

// importResult is what an import leaves on its job.
type importResult struct {
	Rows   int64                `json:"rows"`
	Report generated.JobQueueID `json:"report"` // the job that counts the stock
}

// finish writes the refused rows and the sum of the run, enqueues the report,
// and makes the job done: all of it, or nothing.
func (im *importer) finish(ctx context.Context) error {
	return im.db.Tx(ctx, func(tx *generated.Tx) error {
		if _, err := tx.ImportReject.DeleteWhere(ctx, generated.ImportRejectFields.File.Eq(im.file)); err != nil {
			return err
		}
		if _, err := tx.ImportReject.CreateMany(ctx, im.rejects); err != nil {
			return err
		}
		run, err := tx.ImportRun.UpsertByFile(ctx, generated.ImportRunNew{
			File: im.file, Rows: im.rows, Imported: im.good, Refused: int64(len(im.rejects)),
		})
		if err != nil {
			return err
		}
		report, err := tx.JobQueue.EnqueueStockReport(ctx, generated.StockReport{ImportID: int64(run.ID)}, soon)
		if err != nil {
			return err
		}
		if err := im.job.Result(importResult{Rows: im.rows, Report: report.ID}); err != nil {
			return err
		}
		return im.job.CompleteTx(ctx, tx)
	})
}
