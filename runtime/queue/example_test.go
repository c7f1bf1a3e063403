package queue_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/hegner123/modulagen/generated"
	"github.com/hegner123/modulagen/runtime/queue"
	_ "github.com/hegner123/modulagen/runtime/store/sqlite"
)

// printer has a method for each kind of job that job_queue declares.
type printer struct{}

func (printer) ImageOptimize(ctx context.Context, job *generated.ImageOptimizeJob) error {
	fmt.Println("optimize image", job.Payload.MediaID, "attempt", job.Attempt)
	return nil
}

func (printer) ImportData(ctx context.Context, job *generated.ImportDataJob) error {
	return queue.Discard(errors.New("there is no " + job.Payload.CSVPath))
}

func Example() {
	ctx := context.Background()
	db, err := generated.Open(ctx, "sqlite::memory:", generated.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	if _, err := db.JobQueue.EnqueueImageOptimize(ctx, generated.ImageOptimize{MediaID: 123}); err != nil {
		log.Fatal(err)
	}
	job, err := db.JobQueue.EnqueueImportData(ctx, generated.ImportData{CSVPath: "products.csv"})
	if err != nil {
		log.Fatal(err)
	}

	// A service calls Run, which works until its context ends.
	if err := db.Drain(ctx, generated.Workers{JobQueue: printer{}}); err != nil {
		log.Fatal(err)
	}
	job, err = db.JobQueue.Get(ctx, job.ID)
	fmt.Println(job.Status, job.Error.V, err)
	// Output:
	// optimize image 123 attempt 1
	// failed there is no products.csv <nil>
}
