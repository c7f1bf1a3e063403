package evolution_test

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
	runner "github.com/hegner123/modulagen/runtime/store/migrate"
	"github.com/hegner123/modulagen/runtime/store/migrate/script"
)

// refusedError is a step that found rows which do not fit.
type refusedError struct {
	step string
	all  []refusal
}

// refusal are rows of a table.
type refusal struct {
	table, because string
	ids            []string
}

func (e *refusedError) Error() string {
	lines := []string{"refused in the step " + e.step}
	for _, r := range e.all {
		lines = append(lines, fmt.Sprintf("%s: %s (rows %s)", r.table, r.because, strings.Join(r.ids, ", ")))
	}
	return strings.Join(lines, "\n")
}

// run brings a database to the last of the migrations.
func (h *history) run(db *core.DB) error {
	b, _ := core.Below(db)
	log, seen := watched(db)
	up := func() error {
		_, err := h.chain.Set().Up(context.Background(), b, h.last().schema(), runner.Options{NoBackup: true, Logger: log})
		return errors.Join(err, seen.err())
	}
	err := up()
	if e, ok := errors.AsType[*store.SchemaError](err); ok && strings.Contains(e.Error(), " alike") {
		before := h.chain.Migrations[h.counts[len(h.counts)-2]-1].Name // which the tables do not show
		if err := h.chain.Set().Baseline(context.Background(), b, h.last().schema(), before, runner.Options{}); err != nil {
			return err
		}
		return up()
	}
	return err
}

// refusals looks for rows that do not fit.
func refusals(ctx context.Context, c *core.Conn, s *script.Step) error {
	e := &refusedError{step: s.What}
	for _, r := range s.Refuse {
		var id string
		var ids []string
		q := "SELECT " + asText(c.Dialect(), "id") + " AS shown FROM (" + r.Query + ") AS misfits ORDER BY id"
		if err := c.Query(ctx, q, nil, []any{&id}, func() error { ids = append(ids, strings.Clone(id)); return nil }); err != nil {
			return fmt.Errorf("step %q: refuse: %w\n%s", s.What, err, r.Query)
		}
		if len(ids) > 0 {
			_, rest, _ := strings.Cut(r.Query, " FROM ")
			e.all = append(e.all, refusal{strings.Trim(strings.Fields(rest)[0], "\"`"), r.Because, ids})
		}
	}
	if len(e.all) > 0 {
		return e
	}
	return nil
}
