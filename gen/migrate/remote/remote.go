// Package remote has modulagen-migrate, which links the drivers, do what the tool asks of a
// database.
package remote

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"

	"github.com/hegner123/modulagen/gen/internal/process"
	"github.com/hegner123/modulagen/gen/migrate"
	"github.com/hegner123/modulagen/gen/migrate/protocol"
	"github.com/hegner123/modulagen/gen/model"
)

// stopTime is how long an interrupted program has to record how far it is.
const stopTime = 30 * time.Second

// maxLine bounds a line of the answer: a comparison of all tables.
const maxLine = 64 << 20

// With adds a project's migrations and tables to a request.
func With(r protocol.Request, chain *migrate.Chain, p *model.Project) protocol.Request {
	for _, m := range chain.Migrations {
		tables, err := json.Marshal(m.Tables)
		if err != nil {
			panic(err) // strings by strings
		}
		out := protocol.Migration{Name: m.Name, Parent: m.Parent, Tables: tables}
		for i, db := range model.Databases {
			out.SQL[i] = m.SQL[db]
		}
		r.Migrations = append(r.Migrations, out)
	}
	schema := migrate.Schema(p.Datatypes)
	r.DDL, r.Tables = schema.DDL, schema.Tables
	return r
}

// Ask runs the program at a path, calls say with each line about what happens, and returns the
// answer.
func Ask(ctx context.Context, path string, r protocol.Request, say func(line string)) (*protocol.Answer, error) {
	question, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, path, protocol.Version)
	var stderr bytes.Buffer
	cmd.Stdin, cmd.Stderr = bytes.NewReader(question), &stderr
	process.Apart(cmd)
	cmd.Cancel = func() error { return process.Interrupt(cmd) }
	cmd.WaitDelay = stopTime
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	answer, readErr := read(out, say)
	err = cmd.Wait()
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case readErr != nil:
		return nil, readErr
	case answer == nil:
		return nil, fmt.Errorf("modulagen-migrate ended without an answer: %w\n%s", errors.Join(err, errNothing), strings.TrimSpace(stderr.String()))
	}
	return answer, nil
}

var errNothing = errors.New("nothing was printed")

// read reads the lines up to the answer.
func read(out io.Reader, say func(line string)) (*protocol.Answer, error) {
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, maxLine)
	var answer *protocol.Answer
	var failed error
	for lines.Scan() {
		var l protocol.Line
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			failed = errors.Join(failed, fmt.Errorf("modulagen-migrate printed what is no line of an answer: %w", err))
			continue
		}
		switch {
		case l.Log != "":
			say(l.Log)
		case l.Error != "":
			failed = errors.New(l.Error)
		case l.Answer != nil:
			answer = l.Answer
		}
	}
	return answer, errors.Join(failed, lines.Err())
}
