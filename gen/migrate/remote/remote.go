// Package remote has modulagen-migrate, which links the drivers, do what the tool asks of a
// database.
package remote

import (
	"bufio"
	"bytes"
	"cmp"
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
	r.Migrations = chain.Listed()
	schema := migrate.Schema(p.Datatypes)
	r.DDL, r.Tables = schema.DDL, schema.Tables
	return r
}

// Ask runs the program at a path, calls say, if set, with each line about what happens, and returns the
// answer. What the program reports as its error is a *protocol.Failure. When ctx ends, the program is
// interrupted, and has some time to record how far it is.
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
		return nil, fmt.Errorf("modulagen-migrate ended without an answer (%w): %s", cmp.Or(err, errSilent), cmp.Or(strings.TrimSpace(stderr.String()), "it printed nothing"))
	}
	return answer, nil
}

var errSilent = errors.New("with exit code 0")

// read reads the lines up to the answer. It reads to the end even of what it cannot read, as the program would wait
// for that for ever.
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
			if say != nil {
				say(l.Log)
			}
		case l.Failure != nil:
			failed = l.Failure
		case l.Answer != nil:
			answer = l.Answer
		}
	}
	if err := lines.Err(); err != nil {
		if errors.Is(err, bufio.ErrTooLong) {
			err = fmt.Errorf("modulagen-migrate printed a line of more than %d MiB, which is none of an answer", maxLine>>20)
		}
		_, rest := io.Copy(io.Discard, out)
		failed = errors.Join(failed, err, rest)
	}
	return answer, failed
}
