package cron_test

import (
	"context"
	"fmt"
	"log"

	"github.com/hegner123/modulagen/generated"
	"github.com/hegner123/modulagen/runtime/cron"
	"github.com/hegner123/modulagen/runtime/store"
	_ "github.com/hegner123/modulagen/runtime/store/sqlite"
)

// rebuild is the configuration of a predefined action of the program's own.
type rebuild struct {
	Full bool `json:"full,omitempty"`
}

func Example() {
	ctx := context.Background()
	db, err := generated.Open(ctx, "sqlite::memory:", generated.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	workers := generated.Workers{Cron: cron.Options{Actions: map[string]cron.Action{
		"rebuild_index": cron.Func(func(ctx context.Context, r *cron.Run, c rebuild) error {
			r.Printf("rebuilt, full: %v", c.Full)
			return nil
		}),
	}}}

	job, err := db.CronJob.Create(ctx, generated.CronJobNew{
		Name: "rebuild", Schedule: "30 2 * * *", TimeZone: store.Set("Europe/Berlin"),
		ActionType:   generated.CronJobActionTypePredefined,
		ActionConfig: store.Set(store.JSON(`{"action": "rebuild_index", "full": true}`)),
	})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := db.CronJob.RunNow(ctx, job.ID); err != nil { // beside the schedule
		log.Fatal(err)
	}

	// A service calls Run, which fires and works jobs until its context ends.
	if err := db.Drain(ctx, workers); err != nil {
		log.Fatal(err)
	}
	runs, err := db.CronJob.History(ctx, job.ID, 20) // the latest first
	if err != nil {
		log.Fatal(err)
	}
	for _, run := range runs {
		fmt.Println(run.JobName, run.TriggeredBy, run.Status, run.Output.V)
	}
	next, err := db.CronJob.Next(ctx, job.ID, 2)
	fmt.Println(len(next), err)
	// Output:
	// rebuild manual success rebuilt, full: true
	// 2 <nil>
}

func ExampleFunc() {
	action := cron.Func(func(ctx context.Context, r *cron.Run, c rebuild) error { return nil })
	fmt.Println(action.Check(store.JSON(`{"full": true}`)))
	fmt.Println(action.Check(store.JSON(`{"fulll": true}`)))
	// Output:
	// <nil>
	// cron: the configuration's fulll is not known; is full meant?
}
