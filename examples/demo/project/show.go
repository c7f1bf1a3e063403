package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"text/tabwriter"

	"github.com/shopspring/decimal"

	"shop/generated"
)

// show prints what was done, as the database tells it.
func show(ctx context.Context, db *generated.DB, w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, part := range []func(context.Context, *generated.DB, io.Writer) error{
		showImages, showProducts, showRejects, showDead, showCached,
	} {
		fmt.Fprintln(t)
		if err := part(ctx, db, t); err != nil {
			return err
		}
		if err := t.Flush(); err != nil {
			return err
		}
	}
	return nil
}

func showImages(ctx context.Context, db *generated.DB, w io.Writer) error {
	fmt.Fprintln(w, "IMAGE\tFORMAT\tPIXELS\tBYTES\tOPTIMIZED\tBYTES")
	var before, after int64
	done := generated.ImageFields.OptimizedAt.NotNull()
	byPath := []generated.ImageSort{generated.ImageFields.Path.Asc()}
	for image, err := range db.Image.All(ctx, generated.ImageQuery{Where: done, Sort: byPath}) {
		if err != nil {
			return err
		}
		before += image.Bytes
		after += image.OptimizedBytes.V
		fmt.Fprintf(w, "%s\t%s\t%d x %d\t%d\t%d x %d\t%d\n", filepath.Base(image.Path), image.Format.V,
			image.Width.V, image.Height.V, image.Bytes, image.OptimizedWidth.V, image.OptimizedHeight.V, image.OptimizedBytes.V)
	}
	fmt.Fprintf(w, "all\t\t\t%d\t\t%d\n", before, after)
	return nil
}

func showProducts(ctx context.Context, db *generated.DB, w io.Writer) error {
	totals, err := sumProducts(ctx, db)
	if err != nil {
		return err
	}
	fmt.Fprintln(w, "PRODUCTS\tCOUNT\tUNITS\tVALUE")
	for _, category := range slices.Sorted(maps.Keys(totals)) {
		fmt.Fprintf(w, "%s\t%d\t%d\t%s\n", category, totals[category].count, totals[category].units, totals[category].value.StringFixed(2))
	}
	return nil
}

// stock is what a group of products comes to.
type stock struct {
	count, units          int64
	value                 decimal.Decimal
	unreleased, longTexts int64
}

// sumProducts reads every product, page by page, and sums by category.
func sumProducts(ctx context.Context, db *generated.DB) (map[generated.ProductCategory]*stock, error) {
	totals := map[generated.ProductCategory]*stock{}
	for product, err := range db.Product.All(ctx, generated.ProductQuery{}) {
		if err != nil {
			return nil, err
		}
		if totals[product.Category] == nil {
			totals[product.Category] = &stock{}
		}
		totals[product.Category].add(product)
	}
	return totals, nil
}

func showRejects(ctx context.Context, db *generated.DB, w io.Writer) error {
	counts := map[string]int{}
	example := map[string]*generated.ImportReject{}
	for reject, err := range db.ImportReject.All(ctx, generated.ImportRejectQuery{}) {
		if err != nil {
			return err
		}
		counts[reject.Field]++
		example[reject.Field] = cmp.Or(example[reject.Field], reject)
	}
	fmt.Fprintln(w, "REFUSED ROWS\tCOUNT\tFOR EXAMPLE")
	for _, field := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(w, "%s\t%d\tline %d: %s\n", field, counts[field], example[field].Line, example[field].Reason)
	}
	return nil
}

func showDead(ctx context.Context, db *generated.DB, w io.Writer) error {
	fmt.Fprintln(w, "DEAD JOB\tIMAGE\tATTEMPTS\tERROR")
	dead, err := deadImages(ctx, db)
	if err != nil {
		return err
	}
	for _, file := range slices.Sorted(maps.Keys(dead)) {
		d := dead[file]
		fmt.Fprintf(w, "%d\t%s\t%d\t%s\n", d.job.ID, file, d.job.Attempts, d.job.Error.V)
	}
	return nil
}
