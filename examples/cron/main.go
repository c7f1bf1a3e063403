// Cron adds the jobs of jobs.json, publishes articles that are due, cleans up sessions, runs a plugin, calls
// an endpoint and backs up the database, each by its schedule.
//
//	go run ./examples/cron          # until Ctrl-C; cron_job in cron.db may be edited meanwhile
//	go run ./examples/cron -now     # each job once, at once
//
// The endpoint of jobs.json is one of an example: requests to it fail, and the history says so.
package main

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log"
	"log/slog"
	"os"
	"time"

	"github.com/hegner123/modulagen/examples/cron/generated"
	"github.com/hegner123/modulagen/runtime/cron"
	"github.com/hegner123/modulagen/runtime/cron/lua"
	"github.com/hegner123/modulagen/runtime/queue"
	"github.com/hegner123/modulagen/runtime/store"
	_ "github.com/hegner123/modulagen/runtime/store/sqlite"
)

//go:embed jobs.json
var jobs []byte

//go:embed plugins
var plugins embed.FS

func main() {
	now := flag.Bool("now", false, "run each job once, at once, and end")
	flag.Parse()
	ctx, stop := queue.UntilSignal(context.Background()) // ended by Ctrl-C: what is under way is finished
	defer stop()
	if err := run(ctx, "sqlite:cron.db", *now, cron.Options{Logger: slog.New(slog.NewTextHandler(os.Stderr, nil))}); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, dsn string, now bool, opts cron.Options) error {
	folder, err := fs.Sub(plugins, "plugins")
	if err != nil {
		return err
	}
	opts.Plugins = lua.FS(folder)
	db, err := generated.Open(ctx, dsn, generated.Options{})
	if err != nil {
		return err
	}
	defer db.Close()
	if err := add(ctx, db); err != nil {
		return err
	}
	if !now {
		return db.Run(ctx, generated.Workers{Cron: opts})
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ran := make(chan error, 1)
	go func() { ran <- db.Run(ctx, generated.Workers{Cron: opts}) }()
	err = each(ctx, db)
	cancel()
	return errors.Join(err, <-ran)
}

// add adds the jobs that are not there yet, and something for them to do.
func add(ctx context.Context, db *generated.DB) error {
	var list []generated.CronJobNew
	if err := json.Unmarshal(jobs, &list); err != nil {
		return err
	}
	for _, j := range list {
		_, err := db.CronJob.Create(ctx, j)
		if errors.Is(err, store.ErrConflict) {
			continue
		}
		if err != nil {
			return err
		}
	}
	if some, err := db.Article.Exists(ctx, generated.ArticleFilter{}); some || err != nil {
		return err
	}
	due := time.Now().Add(-time.Minute)
	if _, err := db.Article.Create(ctx, generated.ArticleNew{
		Title: "Hello", Status: store.Set(generated.ArticleStatusScheduled), PublishDate: store.Set(due),
	}); err != nil {
		return err
	}
	_, err := db.Session.Create(ctx, generated.SessionNew{Token: "t1", LastSeenAt: store.Set(due.AddDate(0, 0, -31))})
	return err
}

// each runs each job once and prints how its run ended.
func each(ctx context.Context, db *generated.DB) error {
	for j, err := range db.CronJob.All(ctx, generated.CronJobQuery{}) {
		if err != nil {
			return err
		}
		id, err := db.CronJob.RunNow(ctx, j.ID)
		if err != nil {
			return err
		}
		if _, err := db.CronRuns.Await(ctx, id); err != nil {
			return err
		}
		runs, err := db.CronJob.History(ctx, j.ID, 1)
		if err != nil {
			return err
		}
		next, err := db.CronJob.Next(ctx, j.ID, 1)
		if err != nil {
			return err
		}
		fmt.Printf("%s: %s, next at %s\n", j.Name, runs[0].Status, next[0].UTC().Format("15:04"))
		if text := runs[0].Output.V + runs[0].Error.V; text != "" {
			fmt.Println("  " + text)
		}
	}
	return nil
}
