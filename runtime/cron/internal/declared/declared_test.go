// Package declared_test tests jobs that modulagen.yaml declares, on every database, with a program
// and its next version.
package declared_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/cron/internal/declared/today/generated"
	tomorrow "github.com/hegner123/modulagen/runtime/cron/internal/declared/tomorrow/generated"
	"github.com/hegner123/modulagen/runtime/store"
	_ "github.com/hegner123/modulagen/runtime/store/mysql"
	_ "github.com/hegner123/modulagen/runtime/store/postgres"
	_ "github.com/hegner123/modulagen/runtime/store/sqlite"
	"github.com/hegner123/modulagen/runtime/store/storetest"
)

// noon is when programs are started.
var noon = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

// fixture is a database, and what has been logged.
type fixture struct {
	*testing.T
	dsn  string
	db   *generated.DB // of a program that goes on running
	logs bytes.Buffer
	mu   sync.Mutex
}

func (f *fixture) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.logs.Write(p)
}

// onEach runs a test on every database, where today's program was started.
func onEach(t *testing.T, test func(t *testing.T, f *fixture)) {
	t.Parallel()
	for _, name := range []string{"sqlite", "postgres", "mysql"} {
		t.Run(name, func(t *testing.T) {
			f := &fixture{T: t, dsn: "sqlite:" + filepath.Join(t.TempDir(), "declared.db")}
			if name != "sqlite" {
				f.dsn = storetest.FreshDSN(t, name)
			}
			t.Parallel()
			db, err := generated.Open(t.Context(), f.dsn, f.options())
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { db.Close() })
			f.db = db
			test(t, f)
		})
	}
}

func (f *fixture) options() store.Options {
	return store.Options{MaxConns: 2, Now: func() time.Time { return noon }, Logger: slog.New(slog.NewTextHandler(f, nil))}
}

// today starts the program, and ends it.
func (f *fixture) today() {
	f.Helper()
	db, err := generated.Open(f.Context(), f.dsn, f.options())
	if err != nil {
		f.Fatal(err)
	}
	if err := db.Close(); err != nil {
		f.Fatal(err)
	}
}

// tomorrow starts its next version, and ends it.
func (f *fixture) tomorrow() {
	f.Helper()
	db, err := tomorrow.Open(f.Context(), f.dsn, f.options())
	if err != nil {
		f.Fatal(err)
	}
	if err := db.Close(); err != nil {
		f.Fatal(err)
	}
}

// jobs returns what is in the table: of each job the schedule, whether it is enabled and planned.
func (f *fixture) jobs() string {
	f.Helper()
	var out []string
	for j, err := range f.db.CronJob.All(f.Context(), generated.CronJobQuery{}) {
		if err != nil {
			f.Fatal(err)
		}
		at := "on"
		if !j.Enabled {
			at = "off"
		}
		if j.Enabled != j.NextRun.Valid {
			at += ", planned " + j.NextRun.V.String()
		}
		out = append(out, fmt.Sprintf("%s [%s] %s", j.Name, j.Schedule, at))
	}
	return strings.Join(out, "\n")
}

// job returns a job by its name.
func (f *fixture) job(name string) *generated.CronJob {
	f.Helper()
	j, err := f.db.CronJob.GetByName(f.Context(), name)
	if err != nil {
		f.Fatal(err)
	}
	return j
}

// edit changes a job as an operator does.
func (f *fixture) edit(name string, p generated.CronJobPatch) {
	f.Helper()
	if _, err := f.db.CronJob.Update(f.Context(), f.job(name).ID, p); err != nil {
		f.Fatal(err)
	}
}

func (f *fixture) exec(sql string) {
	f.Helper()
	if _, err := f.db.Store().Conn().Exec(f.Context(), sql, nil); err != nil {
		f.Fatal(err)
	}
}

func line(values ...any) string { return strings.TrimSpace(fmt.Sprintln(values...)) }

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
		t.Errorf("%s:\n%s\nwant\n%s", what, g, w)
	}
}

const (
	ofToday = "backup [0 3 * * *] on\ndigest [0 8 * * mon] on\nimport [*/5 * * * *] off\npurge [0 4 * * *] on"
	// Today's jobs, once tomorrow's program was started.
	ofTomorrow = "backup [30 3 * * *] on\ndigest [0 9 * * mon] on\nimport [*/5 * * * *] on\npurge [0 4 * * *] off\nreport [0 7 1 * *] on"
)

// Jobs that are missing are added, also those that were deleted; where nothing differs, nothing is written.
func TestAdded(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		equal(t, "at first", f.jobs(), ofToday)
		j := f.job("backup")
		equal(t, "what is declared", line(j.TimeZone.V, j.ActionType, j.Misfire, j.Overlap, j.Jitter, j.StartsAt.V.UTC().Format(time.RFC3339Nano), j.MaxAttempts),
			line("Europe/Berlin", "predefined", "skip", "skip", 60, "2026-01-02T02:04:05.123456Z", 1))
		if config := string(j.ActionConfig.V); !strings.Contains(config, "12345678901234567890") || !strings.Contains(config, "Łódź") {
			t.Errorf("the configuration has not what was declared: %s", config)
		}

		f.exec("UPDATE cron_job SET declared = NULL WHERE name = 'purge'")
		f.today()
		if !f.job("purge").Declared.Valid {
			t.Error("a job that an operator made has no declaration")
		}
		if err := f.db.CronJob.Delete(t.Context(), f.job("digest").ID); err != nil {
			t.Fatal(err)
		}
		f.today()
		equal(t, "one that was deleted", f.job("digest").Schedule, "0 8 * * mon")
		equal(t, "all", strings.Count(f.jobs(), "\n"), 3)
	})
}

// Open of a database where nothing differs only reads; that of a project without schedules does not ask.
func TestNothingDiffers(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		if strings.HasPrefix(f.dsn, "sqlite") {
			f.exec("CREATE TRIGGER inserted BEFORE INSERT ON cron_job BEGIN SELECT RAISE(ABORT, 'written'); END")
			f.exec("CREATE TRIGGER updated BEFORE UPDATE ON cron_job BEGIN SELECT RAISE(ABORT, 'written'); END")
			f.today()
			f.exec("DROP TRIGGER inserted")
			f.exec("DROP TRIGGER updated")
		}
		equal(t, "jobs", f.jobs(), ofToday)
	})
	text, err := os.ReadFile(filepath.Join("..", "clockwork", "generated", "db.gen.go"))
	if err != nil || bytes.Contains(text, []byte("scheduler.Sync")) {
		t.Errorf("a project without schedules keeps jobs in step: %v", err)
	}
}

// The declaration of the program that was started last holds, in whatever order versions start.
func TestVersions(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		for range 2 {
			f.tomorrow()
			equal(t, "the new version", f.jobs(), ofTomorrow)
			j := f.job("backup")
			equal(t, "what is declared no more has its default", line(j.TimeZone.V, j.Misfire, j.Overlap, j.Jitter, j.StartsAt.V.UTC().Format(time.RFC3339Nano), j.Exclude.Valid, j.MaxAttempts),
				line("Europe/Warsaw", "once", "queue", 30, "2026-02-03T04:05:06Z", false, 3))
			if config := string(j.ActionConfig.V); !strings.Contains(config, "12345678901234567891") || strings.Contains(config, "zeal") {
				t.Errorf("the configuration is not the new one: %s", config)
			}
			f.today()
			equal(t, "the old version again", f.jobs(), ofToday+"\nreport [0 7 1 * *] off")
		}
	})
}

// What an operator has changed stays, field by field, and what they have not follows.
func TestOperator(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		f.edit("backup", generated.CronJobPatch{
			Schedule: store.Set("15 3 * * *"), Exclude: store.Set(store.JSON(`["sat"]`)),
			ActionConfig: store.Set(store.JSON(`{"action": "record", "chat": 12345678901234567892}`)),
		})
		f.edit("purge", generated.CronJobPatch{Timeout: store.Set[int64](60)})
		f.edit("digest", generated.CronJobPatch{Enabled: store.Set(false)})
		f.today()
		f.tomorrow()
		equal(t, "jobs", f.jobs(), "backup [15 3 * * *] on\ndigest [0 9 * * mon] off\nimport [*/5 * * * *] on\npurge [0 4 * * *] on\nreport [0 7 1 * *] on")
		j := f.job("backup")
		equal(t, "the others follow", line(j.TimeZone.V, j.Jitter, j.Overlap), "Europe/Warsaw 30 queue")
		if !strings.Contains(string(j.ActionConfig.V), "12345678901234567892") || !strings.Contains(string(j.Exclude.V), "sat") {
			t.Errorf("what an operator set is lost: %s, %s", j.ActionConfig.V, j.Exclude.V)
		}
		if f.job("purge").Declared.Valid {
			t.Error("a job that left, and that an operator had changed, is not theirs")
		}
		f.edit("backup", generated.CronJobPatch{Schedule: store.Set("30 3 * * *")}) // as declared
		f.today()
		equal(t, "one that was put back follows again", f.job("backup").Schedule, "0 3 * * *")
		equal(t, "an operator's job is not changed when it is declared again", line(f.job("purge").Timeout, f.job("purge").Enabled), "60 true")
	})
}

// A job that left, and that an operator had disabled though nothing declared whether it runs, is
// not enabled when it comes back; nor is one that was enabled again disabled a second time.
func TestLeft(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		f.edit("purge", generated.CronJobPatch{Enabled: store.Set(false)})
		f.tomorrow()
		f.today()
		equal(t, "one that an operator disabled", f.job("purge").Enabled, false)
		f.tomorrow()
		f.today() // report has left
		f.edit("report", generated.CronJobPatch{Enabled: store.Set(true)})
		f.today()
		f.today()
		equal(t, "one that an operator enabled", f.job("report").Enabled, true)
		f.edit("report", generated.CronJobPatch{Schedule: store.Set("0 6 1 * *")})
		f.tomorrow()
		equal(t, "and changed", f.job("report").Schedule, "0 6 1 * *")
	})
}

// A row of the name of a declared job that an operator made, before the job was declared, keeps its values.
func TestMadeByOperator(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		_, err := f.db.CronJob.Create(t.Context(), generated.CronJobNew{
			Name: "report", Schedule: "0 1 1 * *", Enabled: store.Set(false), ActionType: generated.CronJobActionTypePredefined,
			ActionConfig: store.Set(store.JSON(`{"action":"record","mine":true}`)),
		})
		if err != nil {
			t.Fatal(err)
		}
		_, err = f.db.CronJob.Create(t.Context(), generated.CronJobNew{
			Name: "own", Schedule: "0 2 1 * *", ActionType: generated.CronJobActionTypePredefined, ActionConfig: store.Set(store.JSON(`{"action":"record"}`)),
		})
		if err != nil {
			t.Fatal(err)
		}
		f.tomorrow()
		f.tomorrow()
		j := f.job("report")
		equal(t, "the job", line(j.Schedule, j.Enabled, j.Jitter, strings.Contains(string(j.ActionConfig.V), "mine")), "0 1 1 * * false 0 true")
		equal(t, "one of another name", line(f.job("own").Schedule, f.job("own").Enabled, f.job("own").Declared.Valid), "0 2 1 * * true false")
	})
}

// Documents in a form of a database's, or of a person's, are what they were.
func TestForms(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		f.exec(`UPDATE cron_job SET exclude = '[ "sun" ,"2026-12-24/2027-01-01"]', action_config =
			'{ "to": {"a":"Łódź <b>", "z":[1.0,"two",null]}, "ratio":1.5,"zeal" : 100.0, "chat": 12345678901234567890, "action":"record" }' WHERE name = 'backup'`)
		f.tomorrow()
		j := f.job("backup")
		if j.Exclude.Valid || strings.Contains(string(j.ActionConfig.V), "zeal") {
			t.Errorf("other spaces, keys in another order and numbers in another form were taken for a change: %s, %s", j.Exclude.V, j.ActionConfig.V)
		}
		f.exec(`UPDATE cron_job SET action_config = '{"action":"record","chat":12345678901234567891,"zeal":1}' WHERE name = 'backup'`)
		f.today()
		if j := f.job("backup"); !strings.Contains(string(j.ActionConfig.V), `12345678901234567891`) {
			t.Errorf("a key more was not taken for a change: %s", j.ActionConfig.V)
		}
	})
}

// Rows that SQL has broken do not keep a program from starting, nor other jobs from being changed.
func TestBadRows(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		f.exec("UPDATE cron_job SET exclude = '7' WHERE name = 'backup'")
		f.exec("UPDATE cron_job SET schedule = 'nonsense' WHERE name = 'digest'")
		f.exec("UPDATE cron_job SET declared = '[1]', enabled = " + map[bool]string{true: "false", false: "0"}[strings.HasPrefix(f.dsn, "postgres")] + " WHERE name = 'import'")
		f.tomorrow()
		equal(t, "jobs", f.jobs(), "backup [0 3 * * *] on\ndigest [nonsense] on\nimport [*/5 * * * *] off\npurge [0 4 * * *] off\nreport [0 7 1 * *] on")
		if logged := f.logs.String(); !strings.Contains(logged, "job=backup") {
			t.Errorf("a row that cannot be changed was not logged: %s", logged)
		}
		if j := f.job("backup"); j.LastStatus.V != "error" || !strings.Contains(j.Error.V, "not as declared: ") || !strings.Contains(j.Error.V, "exclude") {
			t.Errorf("a row that cannot be changed shows %s %q", j.LastStatus.V, j.Error.V)
		}
		f.edit("backup", generated.CronJobPatch{Exclude: store.Set(store.JSON(`["sun","2026-12-24/2027-01-01"]`))})
		f.tomorrow()
		equal(t, "once it was mended", line(f.job("backup").Schedule, f.job("backup").Exclude.Valid), "30 3 * * * false")
		equal(t, "what it shows then", line(f.job("backup").LastStatus.Valid, f.job("backup").Error.Valid), "false false")
	})
}

// Programs that are started at once, of both versions, make each job once.
func TestTogether(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		f.exec("DELETE FROM cron_job")
		var all sync.WaitGroup
		begin := make(chan struct{})
		for n := range 8 {
			all.Go(func() {
				<-begin
				if err := f.start(n%2 == 0); err != nil {
					t.Error(err)
				}
			})
		}
		close(begin)
		all.Wait()
		f.tomorrow()
		lines := strings.Split(f.jobs(), "\n")
		names := map[string]int{}
		for _, l := range lines {
			name, _, _ := strings.Cut(l, " ")
			names[name]++
		}
		equal(t, "jobs", names, map[string]int{"backup": 1, "digest": 1, "import": 1, "purge": 1, "report": 1})
		for _, want := range strings.Split(ofTomorrow, "\n") {
			if !strings.Contains(f.jobs(), want) {
				t.Errorf("no %s in\n%s", want, f.jobs())
			}
		}
	})
}

func (f *fixture) start(new bool) error {
	ctx := context.WithoutCancel(f.Context())
	if new {
		db, err := tomorrow.Open(ctx, f.dsn, f.options())
		if err != nil {
			return err
		}
		return db.Close()
	}
	db, err := generated.Open(ctx, f.dsn, f.options())
	if err != nil {
		return err
	}
	return db.Close()
}
