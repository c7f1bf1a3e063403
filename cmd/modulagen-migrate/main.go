// Command modulagen-migrate does on databases what "modulagen migrate" asks for. It has the
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
	"testing/fstest"
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
		out.write(protocol.Line{Error: err.Error()})
		os.Exit(1)
	}
	out.write(protocol.Line{Answer: answer})
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
	j := job{Request: r, set: setOf(r.Migrations), schema: &core.Schema{DDL: r.DDL, Tables: r.Tables}, log: slog.New(&handler{out: out})}
	if r.Do == protocol.Replay {
		return j.replay(ctx)
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

// setOf makes a Set of the folders that the tool read.
func setOf(all []protocol.Migration) *migrate.Set {
	files := fstest.MapFS{}
	s := &migrate.Set{Files: files, Folder: "."}
	for _, m := range all {
		entry := migrate.Migration{Name: m.Name, Parent: m.Parent}
		for d, sql := range m.SQL {
			files[m.Name+"/"+sqltext.Dialect(d).String()+".sql"] = &fstest.MapFile{Data: []byte(sql)}
			entry.Checksums[d] = script.Checksum(sql)
		}
		files[m.Name+"/tables.json"] = &fstest.MapFile{Data: m.Tables}
		s.List = append(s.List, entry)
	}
	return s
}

// job is one request.
type job struct {
	protocol.Request
	set    *migrate.Set
	schema *core.Schema
	log    *slog.Logger
}

func (j *job) options() migrate.Options {
	return migrate.Options{Logger: j.log, NoBackup: j.NoBackup, Wait: j.Wait, Program: "modulagen migrate"}
}

func (j *job) do(ctx context.Context, db *core.DB) (*protocol.Answer, error) {
	b, _ := core.Below(db)
	switch j.Do {
	case protocol.Up:
		r, err := j.set.Up(ctx, b, j.schema, j.options())
		if err != nil {
			return nil, err
		}
		return &protocol.Answer{Created: r.Created, Baseline: r.Baseline, Applied: r.Applied, Backups: r.Backups}, nil
	case protocol.Status:
		return j.status(ctx, b)
	case protocol.Verify:
		differences, notes, err := migrate.Verify(ctx, b, j.schema)
		if err != nil {
			return nil, err
		}
		return &protocol.Answer{Differences: differences, Notes: notes}, nil
	case protocol.Down:
		d := b.Dialect()
		s, err := script.Parse("the way back from "+j.Back.Name, j.Back.SQL[d])
		if err != nil {
			return nil, err
		}
		r, err := j.set.Down(ctx, b, j.Back.Name, s, j.options())
		if err != nil {
			return nil, err
		}
		return &protocol.Answer{Applied: []string{j.Back.Name}, Backups: r.Backups}, nil
	case protocol.Baseline:
		if err := j.set.Baseline(ctx, b, j.schema, j.Name, j.options()); err != nil {
			return nil, err
		}
		return &protocol.Answer{Baseline: j.Name}, nil
	}
	return nil, fmt.Errorf("%q is not known", j.Do)
}

func (j *job) status(ctx context.Context, b core.Backend) (*protocol.Answer, error) {
	all, err := j.set.Status(ctx, b)
	if err != nil {
		return nil, err
	}
	a := &protocol.Answer{}
	for _, m := range all.Migrations {
		a.Migrations = append(a.Migrations, stateOf(m))
	}
	return a, nil
}

func stateOf(e migrate.Entry) protocol.State {
	s := protocol.State{Name: e.Name, State: string(e.State), Program: e.Program}
	if !e.EndedAt.IsZero() {
		s.Ended = e.EndedAt.UTC().Format(time.RFC3339)
	}
	switch {
	case e.Unknown:
		s.Detail = "no migration of this project"
	case e.Edited:
		s.Detail = "the file was changed after it was applied"
	case len(e.Waits) > 0:
		s.Detail = "waits for " + strings.Join(e.Waits, "; ")
	case !e.StartedAt.IsZero() && e.EndedAt.IsZero():
		s.Detail = fmt.Sprintf("%d of %d statements, by %s", e.Statements, e.Of, e.Program)
	}
	return s
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
	if err := j.set.Replay(ctx, b, j.options()); err != nil {
		return nil, err
	}
	differences, _, err := migrate.Verify(ctx, b, j.schema)
	return &protocol.Answer{Differences: differences}, err
}

// handler writes what is logged as lines of the answer.
type handler struct {
	out   *writer
	attrs []slog.Attr
}

// Enabled is true of what a person should see.
func (h *handler) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelInfo }

// Handle writes one line.
func (h *handler) Handle(_ context.Context, r slog.Record) error {
	var b strings.Builder
	b.WriteString(strings.TrimPrefix(r.Message, "store: "))
	add := func(a slog.Attr) bool {
		fmt.Fprintf(&b, " %s=%v", a.Key, a.Value)
		return true
	}
	for _, a := range h.attrs {
		add(a)
	}
	r.Attrs(add)
	h.out.write(protocol.Line{Log: b.String()})
	return nil
}

// WithAttrs returns a handler that adds attributes.
func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &handler{h.out, append(append([]slog.Attr{}, h.attrs...), attrs...)}
}

// WithGroup returns the handler: there are no groups.
func (h *handler) WithGroup(string) slog.Handler { return h }
