package sqlc

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/hegner123/modulagen/gen/internal/process"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/gen/sqlc/protocol"
)

// program is modulagen-sqlc, which holds sqlc and SQLite's engine: neither can
// be linked into the tool without minutes of compiling.
type program struct {
	path string
}

// patience is how long a copy may take over a chunk, which needs a second or two.
const patience = 5 * time.Minute

var errHung = fmt.Errorf("sqlc did not end within %s", patience)

// problem is one thing that an engine said about a query.
type problem struct {
	unit    *unit
	query   int // index in unit.queries
	line    int // from 1, in the query's text; 0 when the engine gave no place
	column  int
	message string
}

// answer is what one copy of sqlc said about a chunk: analyses for every unit,
// or problems.
type answer struct {
	analysed map[*unit][]Analysed
	problems []problem
}

var engines = map[model.Database]string{
	model.SQLite:   "sqlite",
	model.Postgres: "postgresql",
	model.MySQL:    "mysql",
}

// analyse runs one copy of sqlc over units of one database, in a folder of its
// own below tmp.
func (p program) analyse(ctx context.Context, tmp string, units []*unit) (answer, error) {
	dir, err := os.MkdirTemp(tmp, "chunk-")
	if err != nil {
		return answer{}, fmt.Errorf("gen/sqlc: %w", err)
	}
	defer os.RemoveAll(dir)
	if err := writeChunk(dir, units); err != nil {
		return answer{}, fmt.Errorf("gen/sqlc: %w", err)
	}
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	stderr, err := p.generate(limited, dir)
	if ctx.Err() != nil {
		return answer{}, ctx.Err()
	}
	if limited.Err() != nil {
		return answer{}, fmt.Errorf("gen/sqlc: %s: %w\n%s", units[0].database, errHung, tail(stderr))
	}
	if err != nil {
		problems := readProblems(stderr, units)
		if len(problems) == 0 {
			return answer{}, fmt.Errorf("gen/sqlc: sqlc failed on %s: %w\n%s", units[0].database, err, tail(stderr))
		}
		return answer{problems: problems}, nil
	}
	data, err := os.ReadFile(filepath.Join(dir, "out", "codegen_request.json"))
	if err != nil {
		return answer{}, fmt.Errorf("gen/sqlc: sqlc left no answer for %s: %w\n%s", units[0].database, err, tail(stderr))
	}
	all, err := decode(data)
	if err != nil {
		return answer{}, fmt.Errorf("gen/sqlc: %s: %w", units[0].database, err)
	}
	return assign(units, all), nil
}

// queryName is the name of a query inside a chunk: names of different units may
// be alike there.
func queryName(unit, query int) string { return fmt.Sprintf("U%dQ%d", unit, query) }

// writeChunk writes what sqlc reads: the tables, a file of queries for each
// unit, so that an error in one does not hide the others', and its
// configuration.
func writeChunk(dir string, units []*unit) error {
	var schema strings.Builder
	seen := map[string]bool{}
	var files []string
	for i, u := range units {
		for _, ddl := range u.tables() {
			if !seen[ddl] {
				seen[ddl] = true
				schema.WriteString(ddl)
			}
		}
		var b strings.Builder
		for j, q := range u.queries {
			fmt.Fprintf(&b, "-- name: %s %s\n%s;\n", queryName(i, j), q.Command, q.Text)
		}
		name := fmt.Sprintf("u%d.sql", i)
		files = append(files, name)
		if err := os.WriteFile(filepath.Join(dir, name), []byte(b.String()), 0o600); err != nil {
			return err
		}
	}
	if schema.Len() == 0 {
		schema.WriteString("CREATE TABLE modulagen_empty (id int);\n") // sqlc wants a schema
	}
	if err := os.WriteFile(filepath.Join(dir, "schema.sql"), []byte(schema.String()), 0o600); err != nil {
		return err
	}
	config, err := json.Marshal(map[string]any{
		"version": "2",
		"sql": []any{map[string]any{
			"engine":  engines[units[0].database],
			"schema":  "schema.sql",
			"queries": files,
			"gen":     map[string]any{"json": map[string]any{"out": "out"}},
		}},
	})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "sqlc.json"), config, 0o600)
}

// generate runs sqlc on the chunk in a folder.
func (p program) generate(ctx context.Context, dir string) (stderr []byte, err error) {
	cmd := p.command(ctx, protocol.SQLC, "generate", "-f", "sqlc.json")
	cmd.Dir = dir
	var out bytes.Buffer
	cmd.Stderr = &out
	err = cmd.Run()
	return out.Bytes(), err
}

// call asks the program one question in JSON.
func (p program) call(ctx context.Context, mode string, question, answer any) error {
	in, err := json.Marshal(question)
	if err != nil {
		return fmt.Errorf("gen/sqlc: %w", err)
	}
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	cmd := p.command(limited, mode)
	var out, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(in), &out, &stderr
	err = cmd.Run()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case limited.Err() != nil:
		return fmt.Errorf("gen/sqlc: %s %s did not end within %s", p.path, mode, patience)
	case err != nil:
		return fmt.Errorf("gen/sqlc: %s %s: %w\n%s", p.path, mode, err, tail(stderr.Bytes()))
	}
	if err := json.Unmarshal(out.Bytes(), answer); err != nil {
		return fmt.Errorf("gen/sqlc: the answer of %s %s: %w", p.path, mode, err)
	}
	return nil
}

func (p program) command(ctx context.Context, mode string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, p.path, append([]string{protocol.Version, mode}, args...)...)
	cmd.Env = childEnv(os.Environ())
	process.Apart(cmd)
	return cmd
}

// childEnv is our environment without what steers sqlc or a Go program in ways
// that the caller did not mean, and with a collector that runs less often: the
// parser leaves much behind, and lives for a second.
func childEnv(env []string) []string {
	var out []string
	for _, e := range env {
		name, _, _ := strings.Cut(e, "=")
		if strings.HasPrefix(name, "SQLC") || name == "GOGC" || name == "GODEBUG" || name == "GOMEMLIMIT" {
			continue
		}
		out = append(out, e)
	}
	return append(out, "GOGC=300")
}

// assign puts the analyses back to the units whose queries they are. A query
// that sqlc left out is a problem: it passes silently over statements that it
// cannot convert.
func assign(units []*unit, all []Analysed) answer {
	byName := make(map[string]Analysed, len(all))
	for _, a := range all {
		byName[a.Name] = a
	}
	out := answer{analysed: map[*unit][]Analysed{}}
	for i, u := range units {
		list := make([]Analysed, len(u.queries))
		for j, q := range u.queries {
			a, ok := byName[queryName(i, j)]
			if !ok {
				out.problems = append(out.problems, problem{unit: u, query: j, message: "sqlc does not know this kind of statement"})
				continue
			}
			a.Name = q.Name
			list[j] = a
		}
		out.analysed[u] = list
	}
	for _, p := range out.problems {
		delete(out.analysed, p.unit)
	}
	return out
}

var problemLine = regexp.MustCompile(`^u(\d+)\.sql:(\d+):(\d+): (.*)$`)

// readProblems reads what sqlc printed about the chunk's files.
func readProblems(stderr []byte, units []*unit) []problem {
	var out []problem
	for line := range strings.Lines(string(stderr)) {
		m := problemLine.FindStringSubmatch(strings.TrimRight(line, "\r\n"))
		if m == nil {
			continue
		}
		i, err1 := strconv.Atoi(m[1])
		row, err2 := strconv.Atoi(m[2])
		col, err3 := strconv.Atoi(m[3])
		if errors.Join(err1, err2, err3) != nil || i >= len(units) {
			continue
		}
		p := problem{unit: units[i], column: col, message: m[4]}
		p.query, p.line = locate(units[i], row)
		p.message = strings.ReplaceAll(p.message, queryName(i, p.query), p.unit.queries[p.query].Name)
		if p.line == 0 {
			p.column = 0
		}
		out = append(out, p)
	}
	return out
}

// locate finds the query that a line of a unit's file belongs to, and the line
// within its text; 0 for the line of its name.
func locate(u *unit, row int) (query, line int) {
	at := 1
	for j, q := range u.queries {
		lines := 2 + strings.Count(q.Text, "\n")
		if row < at+lines {
			return j, row - at
		}
		at += lines
	}
	return len(u.queries) - 1, 0
}

// tail is the end of what a child printed, for an error message.
func tail(out []byte) string {
	const most = 2000
	s := strings.TrimSpace(string(out))
	if len(s) > most {
		s = "... " + s[len(s)-most:]
	}
	return s
}
