package cron

import (
	"fmt"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/hegner123/modulagen/runtime/internal/columntext"
	"github.com/hegner123/modulagen/runtime/store"
)

// MaxOutput is how many bytes of a run's output are kept.
const MaxOutput = 32 << 10

// Trigger says why a run was made.
type Trigger string

// The triggers.
const (
	Scheduled  Trigger = "schedule" // its instant came
	Manual     Trigger = "manual"   // RunNow
	Backfilled Trigger = "backfill" // Backfill, for an instant in the past
)

// Run is one run of a job. The zero value serves in tests of actions.
type Run struct {
	ID      int64 // of the row of runs
	JobID   int64 // 0: the job was deleted meanwhile
	Job     string
	Due     time.Time // the instant of the schedule, or of RunNow
	Trigger Trigger
	Attempt int        // 1 for the first
	Config  store.JSON // of the action, as it was when the run was made

	mu     sync.Mutex
	output []byte
	beyond int64 // bytes that output had no room for
}

// Write adds text to the run's output, which the history shows: the first MaxOutput bytes are kept.
// It never fails.
func (r *Run) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := min(len(p), MaxOutput-len(r.output))
	r.output = append(r.output, p[:n]...)
	r.beyond += int64(len(p) - n)
	return len(p), nil
}

// Printf adds a formatted text to the run's output.
func (r *Run) Printf(format string, args ...any) { fmt.Fprintf(r, format, args...) }

// Output returns the run's output. Where some of it was not kept, it says how much; what is
// not UTF-8, and NUL, is replaced.
func (r *Run) Output() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	text := r.output
	if r.beyond > 0 {
		text = wholeRunes(text)
	}
	out := string(text)
	out = columntext.Storable(out)
	if r.beyond > 0 {
		out += fmt.Sprintf("\n... and %d bytes more", r.beyond+int64(len(r.output)-len(text)))
	}
	return out
}

// wholeRunes removes a rune from the end that was cut.
func wholeRunes(b []byte) []byte {
	for i := 1; i <= min(utf8.UTFMax, len(b)); i++ {
		if utf8.RuneStart(b[len(b)-i]) {
			if !utf8.FullRune(b[len(b)-i:]) {
				return b[:len(b)-i]
			}
			break
		}
	}
	return b
}
