// Command modulagen-migrate does on databases what "modulagen migrate" requests. It has the
// drivers, which take a while to compile, so that the tool need not link them; the tool
// builds and runs it. A person has no use for it alone.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/hegner123/modulagen/gen/migrate/protocol"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/store/migrate"
	"github.com/hegner123/modulagen/runtime/store/migrate/script"
	_ "github.com/hegner123/modulagen/runtime/store/mysql"
	_ "github.com/hegner123/modulagen/runtime/store/postgres"
	_ "github.com/hegner123/modulagen/runtime/store/sqlite"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

func main() {
	if len(os.Args) != 2 || os.Args[1] != protocol.Version {
		fmt.Fprintln(os.Stderr, "modulagen-migrate: this is a part of modulagen of the same version, which runs it by itself")
		os.Exit(1)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	out := &writer{to: json.NewEncoder(os.Stdout)}
	answer, err := run(ctx, os.Stdin, out)
	if err != nil {
		out.write(protocol.Line{Failure: failureOf(err)})
		os.Exit(1)
	}
	out.write(protocol.Line{Answer: answer})
}

// failureOf is an error as the tool is sent it: without the prefix of the package, which means nothing to those
// who run a command.
func failureOf(err error) *protocol.Failure {
	f := &protocol.Failure{Text: strings.TrimPrefix(err.Error(), "store: ")}
	var m *store.MigrationError
	if errors.As(err, &m) {
		f.Migration, f.File, f.What, f.Cause, f.Step, f.Line = m.Migration, m.File, m.What, m.Cause.Error(), m.Step, m.Line
	}
	return f
}

// writer writes lines of the answer.
type writer struct {
	mu sync.Mutex
	to *json.Encoder
}

func (w *writer) write(l protocol.Line) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.to.Encode(l); err != nil { // the tool is gone
		fmt.Fprintln(os.Stderr, "modulagen-migrate:", err)
	}
}

func run(ctx context.Context, in io.Reader, out *writer) (*protocol.Answer, error) {
	var r protocol.Request
	if err := json.NewDecoder(in).Decode(&r); err != nil {
		return nil, fmt.Errorf("the request: %w", err)
	}
	j := job{Request: r, set: protocol.Set(r.Migrations), schema: &core.Schema{DDL: r.DDL, Tables: r.Tables}, log: slog.New(&handler{out: out})}
	if r.Do == protocol.Replay {
		return j.replay(ctx)
	}
	if err := j.exists(); err != nil {
		return nil, err
	}
	db, err := core.Open(ctx, r.DSN, nil, store.Options{Logger: j.log})
	if err != nil {
		return nil, err
	}
	answer, err := j.do(ctx, db)
	if err = errors.Join(err, db.Close()); err != nil {
		return nil, err
	}
	answer.Database = db.Name()
	return answer, nil
}

// job is one request.
type job struct {
	protocol.Request
	set    *migrate.Set
	schema *core.Schema
	log    *slog.Logger
}

func (j *job) options() migrate.Options {
	return migrate.Options{Logger: j.log, NoBackup: j.NoBackup, Wait: j.Wait, Program: programName()}
}

// programName is what the database records as the program that migrated it.
func programName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "a host without a name"
	}
	return "modulagen migrate on " + host
}

// exists refuses the name of a file that is not there, which opening would create, where something
// is expected in it.
func (j *job) exists() error {
	path, isFile := strings.CutPrefix(j.DSN, "sqlite:")
	if j.Do == protocol.Up || !isFile {
		return nil
	}
	path, _, _ = strings.Cut(strings.TrimPrefix(path, "//"), "?")
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("there is no file %s: name one that is there; \"modulagen migrate up\" makes a new database", path)
	}
	return nil
}

func (j *job) do(ctx context.Context, db *core.DB) (*protocol.Answer, error) {
	b, _ := core.Below(db)
	switch j.Do {
	case protocol.Up:
		r, err := j.set.Up(ctx, b, j.schema, j.options())
		if err != nil {
			return nil, err
		}
		return &protocol.Answer{Created: r.Created, Baseline: r.Baseline, Applied: r.Applied, Others: r.Others, Waits: r.Waits, Lacks: r.Lacks, Backups: r.Backups}, nil
	case protocol.Status:
		return j.status(ctx, b)
	case protocol.Verify:
		v, err := j.set.Verify(ctx, b, j.schema)
		if err != nil {
			return nil, err
		}
		return &protocol.Answer{Pending: v.Pending, Differences: v.Differences, Statements: v.Statements, Expected: v.Expected, Notes: v.Notes}, nil
	case protocol.Down:
		return j.down(ctx, b)
	case protocol.Baseline:
		if err := j.set.Baseline(ctx, b, j.schema, j.Name, j.options()); err != nil {
			return nil, err
		}
		return &protocol.Answer{Baseline: j.Name}, nil
	}
	return nil, fmt.Errorf("%q is not known", j.Do)
}

func (j *job) down(ctx context.Context, b core.Backend) (*protocol.Answer, error) {
	s, err := script.Parse("the way back from "+j.Back.Name, j.Back.SQL[b.Dialect()])
	if err != nil {
		return nil, err
	}
	r, err := j.set.Down(ctx, b, j.Back.Name, s, j.options())
	var failed *store.MigrationError
	if errors.As(err, &failed) {
		failed.File = "" // its lines are those of a script that no one has as a file
	}
	if err != nil {
		return nil, err
	}
	return &protocol.Answer{Applied: []string{j.Back.Name}, Backups: r.Backups}, nil
}

func (j *job) status(ctx context.Context, b core.Backend) (*protocol.Answer, error) {
	all, err := j.set.Status(ctx, b)
	if err != nil {
		return nil, err
	}
	a := &protocol.Answer{Recorded: all.Recorded, Migrations: []protocol.State{}}
	for _, m := range all.Migrations {
		a.Migrations = append(a.Migrations, stateOf(m))
	}
	return a, nil
}

func stateOf(e migrate.Entry) protocol.State {
	s := protocol.State{Name: e.Name, State: string(e.State), Applied: e.Applied(), Unknown: e.Unknown, Program: e.Program, Failure: e.Failure, Next: e.Next}
	if !e.EndedAt.IsZero() {
		s.Ended = e.EndedAt.UTC().Format(time.RFC3339)
	}
	switch {
	case e.Unknown:
		s.Detail = "no migration of this project"
	case e.NoSQL && !e.Applied():
		s.Detail = "has no SQL for this database, which the project did not target when it was written"
	case e.Edited:
		s.Detail = "the file was changed after it was applied"
	case len(e.Waits) > 0:
		s.Detail = "waits for " + strings.Join(e.Waits, "; ")
	case !e.StartedAt.IsZero() && e.EndedAt.IsZero():
		s.Detail = begun(e)
	}
	return s
}

// begun says how far a migration is that has not ended.
func begun(e migrate.Entry) string {
	text := fmt.Sprintf("%d of %d statements, by %s", e.Statements, e.Of, e.Program)
	if e.Next != "" {
		text += "; goes on at " + e.Next
	}
	if e.Failure != "" {
		text += "; " + e.Failure
	}
	return strings.ReplaceAll(text, "\n", " ")
}

// replay runs the migrations on a file of its own.
func (j *job) replay(ctx context.Context) (*protocol.Answer, error) {
	folder, err := os.MkdirTemp("", "modulagen-replay-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	db, err := core.Open(ctx, "sqlite:"+filepath.Join(folder, "replay.db"), nil, store.Options{})
	if err != nil {
		return nil, err
	}
	defer db.Close()
	b, _ := core.Below(db)
	if err := j.standIns(); err != nil {
		return nil, err
	}
	if err := j.set.Replay(ctx, b, j.Skip, j.StartDDL, j.options()); err != nil {
		return nil, err
	}
	found, err := migrate.Verify(ctx, b, j.schema)
	if err != nil {
		return nil, err
	}
	return &protocol.Answer{Differences: found.Differences}, nil
}

// standIns registers the data steps, which only the project's program has: without rows they have
// nothing to do.
func (j *job) standIns() error {
	for _, m := range j.Migrations[j.Skip:] {
		s, err := script.Parse(m.Name, m.SQL[sqltext.SQLite])
		if err != nil {
			return err
		}
		for _, step := range s.Steps {
			if step.Run != "" {
				migrate.Register(step.Run, migrate.DataStep{Batch: func(context.Context, *core.Conn, string) (string, int, error) { return "", 0, nil }})
			}
		}
	}
	return nil
}
