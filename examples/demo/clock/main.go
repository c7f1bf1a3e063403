// Clock has a job of each action type run every second for some seconds, shows the history, and
// exits 0 only if each instant has one run, and all of them succeeded.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"text/tabwriter"
	"time"

	"github.com/hegner123/modulagen/runtime/cron"
	"github.com/hegner123/modulagen/runtime/cron/lua"
	"github.com/hegner123/modulagen/runtime/egress"
	"github.com/hegner123/modulagen/runtime/mail"
	"github.com/hegner123/modulagen/runtime/store"
	_ "github.com/hegner123/modulagen/runtime/store/sqlite"
	"github.com/hegner123/modulagen/runtime/webhook"

	"clock/generated"
)

// seconds is how many instants of each job are waited for.
const seconds = 3

func main() {
	if err := run(context.Background(), os.Args[1]); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, dsn string) error {
	db, err := generated.Open(ctx, dsn, generated.Options{})
	if err != nil {
		return err
	}
	defer db.Close()
	var requests atomic.Int64
	address, stop, err := serve(&requests)
	if err != nil {
		return err
	}
	defer stop()
	ids, err := add(ctx, db, address)
	if err != nil {
		return err
	}
	out := egress.Options{Allow: []string{address}}
	running, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		ended <- db.Run(running, generated.Workers{
			Cron:     cron.Options{Egress: out, Plugins: lua.Folder("plugins")},
			Webhooks: webhook.Options{Egress: out},
			Mail:     mail.Log(nil),
			JobQueue: worker{},
		})
	}()
	err = wait(ctx, db, ids)
	cancel()
	if err = errors.Join(err, <-ended); err != nil {
		return err
	}
	return show(ctx, db, ids)
}

// worker does the jobs that a schedule enqueues.
type worker struct{}

func (worker) ImageOptimize(context.Context, *generated.ImageOptimizeJob) error { return nil }
func (worker) ImportData(context.Context, *generated.ImportDataJob) error       { return nil }

// serve answers the requests of jobs and webhooks.
func serve(requests *atomic.Int64) (address string, stop func() error, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "request %d", requests.Add(1))
	})}
	go server.Serve(l) // until stop, with http.ErrServerClosed
	return l.Addr().String(), server.Close, nil
}

// add adds a job of each action type, each second.
func add(ctx context.Context, db *generated.DB, address string) ([]generated.CronJobID, error) {
	if _, err := db.FetchRequests.Create(ctx, generated.FetchRequestNew{Name: "crm", URL: "http://" + address + "/crm"}); err != nil {
		return nil, err
	}
	var list []generated.CronJobNew
	for _, j := range []struct {
		name   string
		action generated.CronJobActionType
		config string
	}{
		{"sweep", generated.CronJobActionTypePredefined, `{"action": "cleanup_cache"}`},
		{"call", generated.CronJobActionTypeHTTP, `{"method": "POST", "url": "http://` + address + `/tick", "body": {"tick": true}}`},
		{"report", generated.CronJobActionTypePlugin, `{"plugin_name": "reports", "function": "mail"}`},
		{"resize", generated.CronJobActionTypeJob, `{"queue": "job_queue", "kind": "image_optimize", "payload": {"media_id": 1}}`},
		{"digest", generated.CronJobActionTypeMail, `{"from": "clock@example.com", "to": ["ann@example.com"], "subject": "Tick", "plain": "Another second."}`},
		{"inform", generated.CronJobActionTypeWebhook, `{"request": "crm", "data": {"tick": true}}`},
	} {
		list = append(list, generated.CronJobNew{
			Name: j.name, Schedule: "* * * * * *", Misfire: store.Set(generated.CronJobMisfireAll), ActionType: j.action, ActionConfig: store.Set(store.JSON(j.config)),
		})
	}
	return db.CronJob.CreateMany(ctx, list)
}

// wait waits until each job has run for some instants.
func wait(ctx context.Context, db *generated.DB, ids []generated.CronJobID) error {
	ctx, cancel := context.WithTimeoutCause(ctx, time.Minute, errors.New("the jobs did not run within a minute"))
	defer cancel()
	for {
		left := 0
		for _, id := range ids {
			n, err := db.CronRuns.Count(ctx, store.And(generated.CronRunFields.JobID.Eq(id), generated.CronRunFields.EndedAt.Gt(time.Time{})), seconds)
			if err != nil {
				return err
			}
			left += seconds - n
		}
		if left == 0 {
			return nil
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// show prints the history, and returns what is wrong with it.
func show(ctx context.Context, db *generated.DB, ids []generated.CronJobID) error {
	t := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "JOB\tACTION\tDUE\tSTATUS\tOUTPUT")
	var wrong []error
	for _, id := range ids {
		runs, err := db.CronJob.History(ctx, id, 100)
		if err != nil {
			return err
		}
		for i, r := range runs {
			if i < seconds {
				fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%q\n", r.JobName, r.ActionType, r.DueAt.Format(time.TimeOnly), r.Status, r.Output.V)
			}
			if r.Status != generated.CronRunStatusSuccess {
				wrong = append(wrong, fmt.Errorf("%s for %s: %s: %s", r.JobName, r.DueAt, r.Status, r.Error.V))
			}
			if i > 0 && !runs[i-1].DueAt.Equal(r.DueAt.Add(time.Second)) {
				wrong = append(wrong, fmt.Errorf("%s ran for %s and then for %s", r.JobName, r.DueAt, runs[i-1].DueAt))
			}
		}
	}
	return errors.Join(append(wrong, t.Flush())...)
}
