package clockwork_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/cron"
	"github.com/hegner123/modulagen/runtime/cron/internal/clockwork/generated"
	"github.com/hegner123/modulagen/runtime/egress"
	"github.com/hegner123/modulagen/runtime/store"
)

// lines returns the lines of a log that contain a text.
func (j *journal) lines(text string) (found []string) {
	for line := range strings.Lines(j.String()) {
		if strings.Contains(line, text) {
			found = append(found, line)
		}
	}
	return found
}

// The log names the job whose run failed, and one that cannot run: that once, and again where it is another fault.
func TestLog(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		f.recording()
		f.opts.Actions["fails"] = cron.Func(func(context.Context, *cron.Run, struct{}) error { return errors.New("no connection") })
		must(f.db.CronJob.Create(t.Context(), job("flaky", "* * * * *", acting("fails"))))
		bad := must(f.db.CronJob.Create(t.Context(), job("unsound", "* * * * *")))
		f.exec("UPDATE cron_job SET schedule = 'nonsense' WHERE name = 'unsound'")
		_, log, _ := f.process(f.opts)
		f.clock.pass(time.Minute)
		f.until("the run has failed", func() bool { return len(log.lines("job is dead")) > 0 })
		if dead := log.lines("job is dead"); len(dead) != 1 || !strings.Contains(dead[0], "job=flaky") || !strings.Contains(dead[0], "no connection") {
			t.Errorf("of a run that failed: %q", dead)
		}
		f.until("the fault is noticed", func() bool { return f.job(bad.ID).LastStatus.V == "error" })
		for _, zone := range []string{"Europe/Rome", "Europe/Oslo"} { // planned anew, with the same fault
			f.exec("UPDATE cron_job SET time_zone = '" + zone + "' WHERE name = 'unsound'")
			f.until("it is looked at", func() bool { return f.planned(bad.ID) == zone })
		}
		wrong := log.lines("a job cannot run")
		if len(wrong) != 1 || !strings.Contains(wrong[0], "level=WARN") || !strings.Contains(wrong[0], "job=unsound") || !strings.Contains(wrong[0], "nonsense") {
			t.Errorf("of a job that cannot run: %q", wrong)
		}
		f.exec("UPDATE cron_job SET schedule = '0 0 30 2 *' WHERE name = 'unsound'")
		f.until("the other fault is logged", func() bool { return len(log.lines("a job cannot run")) == 2 })
	})
}

// planned returns the zone that a job was planned in last.
func (f *fixture) planned(id generated.CronJobID) (zone string) {
	f.Helper()
	if err := f.db.Store().Conn().QueryRow(f.Context(), "SELECT cron_zone FROM cron_job WHERE id = "+fmt.Sprint(id), nil, []any{&zone}); err != nil {
		f.Fatal(err)
	}
	return zone
}

// monitor is a server that monitors jobs.
func (f *fixture) monitor() (url string, requested func() string) {
	f.Helper()
	paths := make(chan string, 10)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { paths <- r.URL.Path }))
	f.Cleanup(server.Close)
	f.opts.Egress = egress.Options{Allow: []string{strings.TrimPrefix(server.URL, "http://")}}
	return server.URL, func() string {
		f.Helper()
		select {
		case path := <-paths:
			return path
		case <-time.After(patience):
			return "nothing"
		}
	}
}

// The monitor of a job that SQL gave one is requested after its next run, also where no job had one a moment ago.
func TestFirstPing(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		f.recording()
		url, requested := f.monitor()
		j := must(f.db.CronJob.Create(t.Context(), job("tick", "* * * * *")))
		f.process(f.opts)
		f.clock.pass(time.Minute)
		f.until("it ran without a monitor", func() bool { return f.runs(j.ID, "success") == 1 })
		f.exec("UPDATE cron_job SET ping_url = '" + url + "/first'")
		f.clock.pass(time.Minute)
		equal(t, "requested", requested(), "/first")
	})
}

// The same of a job that its program gave one, and that runs beside its schedule.
func TestFirstPingAnnounced(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		f.recording()
		url, requested := f.monitor()
		j := must(f.db.CronJob.Create(t.Context(), job("yearly", "0 0 1 1 *")))
		other := must(f.db.CronJob.Create(t.Context(), job("other", "0 0 1 1 *")))
		db, _, _ := f.process(f.opts)
		must(db.CronJob.RunNow(t.Context(), j.ID))
		f.until("it ran without a monitor", func() bool { return f.runs(j.ID, "success") == 1 })
		must(db.CronJob.Update(t.Context(), j.ID, generated.CronJobPatch{PingURL: store.Set(url + "/announced")}))
		for _, zone := range []string{"Europe/Rome", "Europe/Oslo"} { // the second look is after the announcement
			f.exec("UPDATE cron_job SET time_zone = '" + zone + "' WHERE name = 'other'")
			f.until("it is looked at", func() bool { return f.planned(other.ID) == zone })
		}
		must(db.CronJob.RunNow(t.Context(), j.ID))
		equal(t, "requested", requested(), "/announced")
	})
}
