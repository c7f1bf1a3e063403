package main

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/hegner123/modulagen/runtime/cache"
	"github.com/hegner123/modulagen/runtime/store"

	"shop/generated"
)

// value is what a report of the stock says.
type value struct {
	Products int64
	Stock    string
}

// showCached reads a report that takes long to make, from many goroutines, before
// and after a product has changed. It was made once each time.
func showCached(ctx context.Context, db *generated.DB, w io.Writer) error {
	const readers, reads = 50, 100
	reports := cache.New[value](db.CacheEntry, cache.Options{})
	fetch := func() (value, error) {
		return reports.Fetch(ctx, "report:stock", time.Hour, func(ctx context.Context) (value, error) { return report(ctx, db) }, cache.Tags("product"))
	}
	fmt.Fprintln(w, "CACHED REPORT\tREADS\tLOADS\tHIT RATE\tA LOAD\tA READ")
	for round, when := range []string{"first", "after a product changed"} {
		if round == 1 { // its write removes the report: cache_entry depends on product
			product, err := db.Product.First(ctx, generated.ProductQuery{})
			if err != nil {
				return err
			}
			if _, err := db.Product.Update(ctx, product.ID, generated.ProductPatch{Name: store.Set(product.Name)}); err != nil {
				return err
			}
		}
		before, start := reports.Stats(), time.Now()
		failed := make([]error, readers)
		var all sync.WaitGroup
		for i := range readers {
			all.Go(func() {
				for range reads {
					if _, failed[i] = fetch(); failed[i] != nil {
						return
					}
				}
			})
		}
		all.Wait()
		took := time.Since(start)
		for _, err := range failed {
			if err != nil {
				return err
			}
		}
		after := reports.Stats()
		loads, load := after.Loads-before.Loads, after.LoadTime-before.LoadTime
		rate := 1 - float64(loads)/(readers*reads)
		fmt.Fprintf(w, "%s\t%d\t%d\t%.2f %%\t%s\t%s\n", when, readers*reads, loads, 100*rate,
			(load / time.Duration(max(1, loads))).Round(time.Microsecond), ((took - load) / (readers * reads)).Round(10*time.Nanosecond))
		if loads != 1 {
			return fmt.Errorf("the report was made %d times, not once", loads)
		}
	}
	return nil
}

// report sums all products: it reads every one of them.
func report(ctx context.Context, db *generated.DB) (value, error) {
	totals, err := sumProducts(ctx, db)
	if err != nil {
		return value{}, err
	}
	all := &stock{}
	for _, one := range totals {
		all.count += one.count
		all.value = all.value.Add(one.value)
	}
	return value{all.count, all.value.StringFixed(2)}, nil
}
