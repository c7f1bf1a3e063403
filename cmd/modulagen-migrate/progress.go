package main

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/hegner123/modulagen/gen/migrate/protocol"
)

// handler writes what is logged as lines of the answer, for a person who waits.
type handler struct {
	out   *writer
	attrs []slog.Attr
}

// Enabled is true of what a person should see.
func (h *handler) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelInfo }

// Handle writes one line.
func (h *handler) Handle(_ context.Context, r slog.Record) error {
	attrs := append([]slog.Attr{}, h.attrs...)
	r.Attrs(func(a slog.Attr) bool {
		attrs = append(attrs, a)
		return true
	})
	if line := readable(r.Message, attrs); line != "" {
		h.out.write(protocol.Line{Log: line})
	}
	return nil
}

// WithAttrs returns a handler that adds attributes.
func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &handler{h.out, append(append([]slog.Attr{}, h.attrs...), attrs...)}
}

// WithGroup returns the handler: there are no groups.
func (h *handler) WithGroup(string) slog.Handler { return h }

// instant is how long a step may take, without rows that it changed, of which nothing is said.
const instant = time.Second

// readable is an entry of the log as a line; empty: it is of no interest.
func readable(message string, attrs []slog.Attr) string {
	values := map[string]slog.Value{}
	var listed []string
	for _, a := range attrs {
		values[a.Key] = a.Value.Resolve()
		listed = append(listed, fmt.Sprintf("%s %v", a.Key, values[a.Key]))
	}
	message = strings.TrimPrefix(strings.TrimPrefix(message, "store: "), "migration: ")
	switch message {
	case "a step begins":
		return fmt.Sprintf("%v, step %v of %v, %v: %v", values["migration"], values["step"], values["of"], values["class"], values["what"])
	case "a step has ended":
		rows, took := values["rows"], values["took"]
		if rows.Kind() == slog.KindInt64 && rows.Int64() == 0 && took.Kind() == slog.KindDuration && took.Duration() < instant {
			return ""
		}
		noun := "rows"
		if rows.Kind() == slog.KindInt64 && rows.Int64() == 1 {
			noun = "row"
		}
		return fmt.Sprintf("%v, step %v: %v %s in %v", values["migration"], values["step"], rows, noun, took)
	}
	if len(listed) == 0 {
		return message
	}
	return message + ": " + strings.Join(listed, ", ")
}
