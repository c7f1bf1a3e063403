package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/hegner123/modulagen/runtime/mail/mailtest"
	"github.com/hegner123/modulagen/runtime/queue"

	"shop/generated"
)

// figure is one thing that was counted, and what it has to be.
type figure struct {
	name      string
	got, want any
}

// expectedProducts is products.expected.json, which the maker of the list wrote
// while it planted the faults.
type expectedProducts struct {
	Products    int64            `json:"products"`
	Updated     int64            `json:"updated"`
	Units       int64            `json:"units"`
	ValueCents  int64            `json:"value_cents"`
	ByCategory  map[string]int64 `json:"by_category"`
	Unreleased  int64            `json:"unreleased"`
	LongTexts   int64            `json:"long_texts"`
	Rejected    map[string]int64 `json:"rejected"`
	RejectLines int64            `json:"reject_lines"`
}

// expectedImages is images.expected.json, read from the files' headers by hand.
type expectedImages struct {
	Optimized []struct {
		File            string `json:"file"`
		Format          string `json:"format"`
		Width           int64  `json:"width"`
		Height          int64  `json:"height"`
		OptimizedWidth  int64  `json:"optimized_width"`
		OptimizedHeight int64  `json:"optimized_height"`
	} `json:"optimized"`
	Dead []struct {
		File     string `json:"file"`
		Error    string `json:"error"`
		Attempts int64  `json:"attempts"`
	} `json:"dead"`
}

// verify compares what the database holds with what the input implies, and
// names every figure that is wrong.
func verify(ctx context.Context, db *generated.DB, o options, seen *tally, arrived []mailtest.Message, w io.Writer) error {
	var products expectedProducts
	var images expectedImages
	if err := errors.Join(
		readJSON(filepath.Join(o.data, "products.expected.json"), &products),
		readJSON(filepath.Join(o.data, "images.expected.json"), &images),
	); err != nil {
		return err
	}
	var figures []figure
	for _, part := range []func() ([]figure, error){
		func() ([]figure, error) { return checkProducts(ctx, db, products) },
		func() ([]figure, error) { return checkRejects(ctx, db, products) },
		func() ([]figure, error) { return checkImages(ctx, db, o, images) },
		func() ([]figure, error) { return checkJobs(ctx, db, images) },
		func() ([]figure, error) { return checkReport(ctx, db, products) },
		func() ([]figure, error) { return checkRuns(ctx, db, seen, images) },
		func() ([]figure, error) { return checkMail(ctx, db, arrived, products) },
	} {
		some, err := part()
		if err != nil {
			return err
		}
		figures = append(figures, some...)
	}
	var wrong []error
	for _, f := range figures {
		if fmt.Sprint(f.got) != fmt.Sprint(f.want) {
			wrong = append(wrong, fmt.Errorf("%s: got %v, the input implies %v", f.name, f.got, f.want))
		}
	}
	fmt.Fprintf(w, "\n%d of %d figures are what the input implies\n", len(figures)-len(wrong), len(figures))
	return errors.Join(wrong...)
}

func readJSON(path string, into any) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func checkProducts(ctx context.Context, db *generated.DB, want expectedProducts) ([]figure, error) {
	totals, err := sumProducts(ctx, db)
	if err != nil {
		return nil, err
	}
	count, err := db.Product.Count(ctx, generated.ProductFilter{}, 0)
	if err != nil {
		return nil, err
	}
	run, err := db.ImportRun.First(ctx, generated.ImportRunQuery{})
	if err != nil {
		return nil, err
	}
	var all stock
	figures := []figure{
		{"products, counted by the database", count, want.Products},
		{"rows read", run.Rows, want.Products + want.Updated + sum(want.Rejected)},
		{"rows imported", run.Imported, want.Products + want.Updated},
		{"rows refused", run.Refused, sum(want.Rejected)},
	}
	for category, total := range totals {
		all.join(total)
		inDB, err := db.Product.Count(ctx, generated.ProductFields.Category.Eq(category), 0)
		if err != nil {
			return nil, err
		}
		figures = append(figures,
			figure{"products in " + string(category), total.count, want.ByCategory[string(category)]},
			figure{"products in " + string(category) + ", counted by the database", inDB, want.ByCategory[string(category)]})
	}
	return append(figures,
		figure{"categories", len(totals), len(want.ByCategory)},
		figure{"products", all.count, want.Products},
		figure{"units", all.units, want.Units},
		figure{"value in cents", all.value.Shift(2), want.ValueCents},
		figure{"products without a date", all.unreleased, want.Unreleased},
		figure{"descriptions of several lines", all.longTexts, want.LongTexts},
	), nil
}

func (s *stock) add(p *generated.Product) {
	s.count++
	s.units += p.Stock
	s.value = s.value.Add(p.Price.Mul(decimal.NewFromInt(p.Stock)))
	if !p.Released.Valid {
		s.unreleased++
	}
	if strings.Contains(p.Description.V, "\n") {
		s.longTexts++
	}
}

func (s *stock) join(o *stock) {
	s.count += o.count
	s.units += o.units
	s.value = s.value.Add(o.value)
	s.unreleased += o.unreleased
	s.longTexts += o.longTexts
}

func checkRejects(ctx context.Context, db *generated.DB, want expectedProducts) ([]figure, error) {
	counts, lines := map[string]int64{}, int64(0)
	for reject, err := range db.ImportReject.All(ctx, generated.ImportRejectQuery{}) {
		if err != nil {
			return nil, err
		}
		counts[reject.Field]++
		lines += reject.Line
	}
	figures := []figure{
		{"sum of the refused rows' lines", lines, want.RejectLines},
		{"kinds of fault", len(counts), len(want.Rejected)},
	}
	for field, n := range want.Rejected {
		figures = append(figures, figure{"rows refused for " + field, counts[field], n})
	}
	return figures, nil
}

// checkImages decodes what was written, rather than trust the rows alone.
func checkImages(ctx context.Context, db *generated.DB, o options, want expectedImages) ([]figure, error) {
	files, err := os.ReadDir(o.out)
	if err != nil {
		return nil, err
	}
	figures := []figure{{"files written", len(files), len(want.Optimized)}}
	for _, w := range want.Optimized {
		row, err := db.Image.GetByPath(ctx, filepath.Join(o.data, "images", w.File))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", w.File, err)
		}
		written, err := sizeOf(row.OptimizedPath.V)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", w.File, err)
		}
		figures = append(figures,
			figure{
				w.File, fmt.Sprint(row.Format.V, row.Width.V, row.Height.V, row.OptimizedWidth.V, row.OptimizedHeight.V),
				fmt.Sprint(w.Format, w.Width, w.Height, w.OptimizedWidth, w.OptimizedHeight),
			},
			figure{w.File + " as written", written, fmt.Sprint(w.Format, w.OptimizedWidth, w.OptimizedHeight)})
	}
	return figures, nil
}

func sizeOf(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	picture, format, err := image.Decode(f)
	if err != nil {
		return "", err
	}
	return fmt.Sprint(format, picture.Bounds().Dx(), picture.Bounds().Dy()), nil
}

func checkJobs(ctx context.Context, db *generated.DB, want expectedImages) ([]figure, error) {
	done, err := db.JobQueue.Count(ctx, generated.JobQueueFields.Status.Eq(generated.JobQueueStatusCompleted), 0)
	if err != nil {
		return nil, err
	}
	dead, err := deadImages(ctx, db)
	if err != nil {
		return nil, err
	}
	figures := []figure{
		{"jobs completed", done, len(want.Optimized) + 2}, // and the import, and its report
		{"jobs dead", len(dead), len(want.Dead)},
	}
	for _, w := range want.Dead {
		d := dead[w.File]
		figures = append(figures,
			figure{w.File + ": attempts", d.job.Attempts, w.Attempts},
			figure{w.File + ": says " + w.Error, strings.Contains(d.job.Error.V, w.Error), true})
	}
	return figures, nil
}

// checkReport looks at the two jobs that are no picture's: the import, which was
// enqueued twice, and the report that it scheduled.
func checkReport(ctx context.Context, db *generated.DB, want expectedProducts) ([]figure, error) {
	kind := generated.JobQueueFields.JobType
	imports, err := db.JobQueue.List(ctx, generated.JobQueueQuery{Where: kind.Eq("import_data")})
	if err != nil {
		return nil, err
	}
	reports, err := db.JobQueue.List(ctx, generated.JobQueueQuery{Where: kind.Eq("stock_report")})
	if err != nil {
		return nil, err
	}
	figures := []figure{{"imports", len(imports.Items), 1}, {"reports", len(reports.Items), 1}}
	if len(imports.Items) != 1 || len(reports.Items) != 1 {
		return figures, nil
	}
	list, report := imports.Items[0], reports.Items[0]
	var read importResult
	var counted reportResult
	if err := errors.Join(json.Unmarshal(list.QueueResult.V, &read), json.Unmarshal(report.QueueResult.V, &counted)); err != nil {
		return nil, err
	}
	figures = append(figures,
		figure{"rows, as the import's result says", read.Rows, want.Products + want.Updated + sum(want.Rejected)},
		figure{"units, as the report's result says", counted.Units, want.Units},
		figure{"the report was enqueued by the import", report.ID == read.Report && !report.CreatedAt.Before(list.StartedAt.V), true},
		figure{"the report did not run before its time", !report.StartedAt.V.Before(report.ScheduledAt.V), true})
	for category, n := range want.ByCategory {
		figures = append(figures, figure{"products in " + category + ", as the report's result says", counted.Products[generated.ProductCategory(category)], n})
	}
	return figures, nil
}

// checkRuns compares what the workers told of, and what the rows say, with how
// often each job had to run: once, and a damaged picture three times.
func checkRuns(ctx context.Context, db *generated.DB, seen *tally, want expectedImages) ([]figure, error) {
	var attempts, claims int64
	for job, err := range db.JobQueue.All(ctx, generated.JobQueueQuery{}) {
		if err != nil {
			return nil, err
		}
		attempts += job.Attempts
		claims += job.QueueEpoch
	}
	done, dead := len(want.Optimized)+2, len(want.Dead)
	runs := int64(done)
	for _, w := range want.Dead {
		runs += w.Attempts
	}
	return []figure{
		{"attempts, as the rows say", attempts, runs},
		{"claims, as the rows say", claims, runs},
		{"events: started", seen.events[queue.Started], runs},
		{"events: done", seen.events[queue.Done], done},
		{"events: dead", seen.events[queue.Dead], dead},
		{"events: to be tried again", seen.events[queue.Retrying], runs - int64(done+dead)},
		{"events: leases lost", seen.events[queue.LeaseLost] + seen.events[queue.Expired], 0},
		{"events missed", seen.missed, 0},
	}, nil
}

// deadImage is a job that was given up, and its picture.
type deadImage struct {
	job   generated.JobQueue
	image generated.Image
}

// deadImages are the jobs that were given up, by the picture's file name.
func deadImages(ctx context.Context, db *generated.DB) (map[string]deadImage, error) {
	dead := map[string]deadImage{}
	failed := generated.JobQueueFields.Status.Eq(generated.JobQueueStatusFailed)
	for job, err := range db.JobQueue.All(ctx, generated.JobQueueQuery{Where: failed}) {
		if err != nil {
			return nil, err
		}
		var payload generated.ImageOptimize
		if err := json.Unmarshal(job.Payload, &payload); err != nil {
			return nil, err
		}
		image, err := db.Image.Get(ctx, generated.ImageID(payload.ImageID))
		if err != nil {
			return nil, err
		}
		dead[filepath.Base(image.Path)] = deadImage{*job, *image}
	}
	return dead, nil
}

func sum(counts map[string]int64) (total int64) {
	for _, n := range counts {
		total += n
	}
	return total
}
