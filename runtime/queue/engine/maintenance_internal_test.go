package engine

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// Each round runs at once and then at its own interval, whatever becomes of the
// others: dead workers' jobs are rescued although deleting old rows fails.
func TestMaintenanceGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		o := quiet()
		o.logger = slog.New(slog.NewTextHandler(&log, nil))
		rescued, pruned := 0, 0
		m := &maintenance{observer: o, rounds: []round{
			{"prune", 3 * time.Second, func(context.Context) error { pruned++; return errors.New("no") }},
			{"rescue", 2 * time.Second, func(context.Context) error { rescued++; return nil }},
		}}
		ctx, cancel := context.WithTimeout(t.Context(), 6*time.Second+1)
		defer cancel()
		m.run(ctx)
		if rescued != 4 || pruned != 3 {
			t.Errorf("rescued %d times, pruned %d times", rescued, pruned)
		}
		if n := strings.Count(log.String(), "queue: prune failed"); n != 3 {
			t.Errorf("the log names %d failures: %s", n, log.String())
		}
	})
}
