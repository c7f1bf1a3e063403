package clockwork_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hegner123/modulagen/internal/netfault"
	"github.com/hegner123/modulagen/runtime/cron/internal/clockwork/generated"
)

// Processes that fire the same jobs and write how their runs ended, again and again, lock them in one order: the
// server ends no transaction of theirs because of a deadlock, and they have nothing to log.
func TestNoDeadlocks(t *testing.T) {
	const jobs, ticks = 100, 5
	onEach(t, func(t *testing.T, f *fixture) {
		f.recording()
		answers := func() int64 { return 0 }
		if !strings.HasPrefix(f.dsn, "sqlite") {
			var proxy *netfault.Proxy
			proxy, f.dsn = netfault.DSN(t, f.dsn)
			answers = proxy.Answers(map[bool]string{true: "40P01", false: "Deadlock found"}[strings.HasPrefix(f.dsn, "postgres")])
		}
		var list []generated.CronJobNew
		for i := range jobs {
			list = append(list, job(fmt.Sprintf("tick %d", i), "* * * * *", overlap("queue"), misfire("all")))
		}
		must(f.db.CronJob.CreateMany(t.Context(), list))
		f.opts.Queue.Concurrency = 8
		var logs []*journal
		for range 3 {
			_, log, _ := f.process(f.opts)
			logs = append(logs, log)
		}
		for tick := range ticks {
			f.clock.pass(time.Minute)
			// The next instant comes while the last runs of this one are written.
			f.until("most have run", func() bool { return f.runs(0, "success") > (tick+1)*jobs-jobs/4 })
		}
		f.until("all have run", func() bool {
			f.clock.pass(10 * time.Millisecond) // for runs that wait for the one before
			return f.runs(0, "success") == ticks*jobs
		})
		equal(t, "deadlocks", answers(), 0)
		for _, log := range logs {
			if text := log.String(); strings.Contains(text, "level=ERROR") || strings.Contains(text, "level=WARN") {
				t.Errorf("there is something in the log:\n%s", text)
			}
		}
	})
}
