package main

import (
	"context"
	"time"

	"github.com/hegner123/modulagen/runtime/store"

	"shop/generated"
)

// reportDelay is how long after an import the stock is counted.
const reportDelay = 300 * time.Millisecond

// soon schedules a job.
func soon(n *generated.JobQueueNew) { n.ScheduledAt = store.Set(time.Now().Add(reportDelay)) }

// reportResult is what a report leaves on its job.
type reportResult struct {
	Products map[generated.ProductCategory]int64 `json:"products"`
	Units    int64                               `json:"units"`
}

// StockReport counts the stock after an import.
func (h *handlers) StockReport(ctx context.Context, job *generated.StockReportJob) error {
	if _, err := h.db.ImportRun.Get(ctx, generated.ImportRunID(job.Payload.ImportID)); err != nil {
		return err // the job was enqueued in the transaction that wrote this row
	}
	result := reportResult{Products: map[generated.ProductCategory]int64{}}
	for product, err := range h.db.Product.All(ctx, generated.ProductQuery{}) {
		if err != nil {
			return err
		}
		result.Products[product.Category]++
		result.Units += product.Stock
	}
	return job.Result(result)
}
