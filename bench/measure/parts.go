package measure

import (
	"context"
	"os"
	"strings"
)

// Part is one of the things that a suite measures.
type Part struct {
	Name string
	Run  func(ctx context.Context, report *Report) error
}

// RunParts measures parts one after the other; BENCH_CASE chooses some by their names.
func RunParts(ctx context.Context, report *Report, parts []Part) error {
	for _, part := range parts {
		if !strings.Contains(part.Name, os.Getenv("BENCH_CASE")) {
			continue
		}
		if err := part.Run(ctx, report); err != nil {
			return err
		}
	}
	return nil
}
