//go:build unix

package faults

import (
	"context"
	"testing"

	today "github.com/hegner123/modulagen/runtime/queue/internal/faults/today/generated"
	tomorrow "github.com/hegner123/modulagen/runtime/queue/internal/faults/tomorrow/generated"

	"github.com/hegner123/modulagen/runtime/queue"
	"github.com/hegner123/modulagen/runtime/store"
)

// newHands are the handlers of the next version. They say what they were given.
type newHands struct{ got chan string }

func (h newHands) Note(_ context.Context, j *tomorrow.NoteJob) error {
	h.got <- j.Payload.Title
	return nil
}

func (h newHands) Letter(_ context.Context, j *tomorrow.LetterJob) error {
	h.got <- "to " + j.Payload.To
	return nil
}

func (h newHands) NoteFromV1(_ context.Context, old tomorrow.NoteV1) (tomorrow.Note, error) {
	return tomorrow.Note{Title: "1: " + old.Words}, nil
}

func (h newHands) NoteFromV2(_ context.Context, old tomorrow.NoteV2) (tomorrow.Note, error) {
	return tomorrow.Note{Title: "2: " + old.Text}, nil
}

// Two versions of a program work one queue: each runs what it knows, and leaves
// the rest alone, without an attempt.
func TestTwoVersionsOfAProgram(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		ctx := t.Context()
		old := open(t, dsn, today.Options{})
		next, err := tomorrow.Open(ctx, dsn, tomorrow.Options{MaxConns: 4})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { next.Close() })

		letter, err := next.Task.EnqueueLetter(ctx, tomorrow.Letter{To: "all"})
		if err != nil {
			t.Fatal(err)
		}
		newNote, err := next.Task.EnqueueNote(ctx, tomorrow.Note{Title: "three"})
		if err != nil {
			t.Fatal(err)
		}
		slow, err := old.Task.EnqueueSlow(ctx, today.Slow{Text: "of today alone"})
		if err != nil {
			t.Fatal(err)
		}
		words, err := old.Task.Create(ctx, today.TaskNew{JobType: "note", Payload: store.JSON(`{"words": "one"}`)}) // version 1
		if err != nil {
			t.Fatal(err)
		}
		twos := note(t, old, "two")

		// Today's program runs its own, old forms of it included.
		var texts []string
		h := hands{
			note: func(_ context.Context, j *today.NoteJob) error {
				texts = append(texts, j.Payload.Text)
				return nil
			},
			slow: func(context.Context, *today.SlowJob) error { return nil },
		}
		if err := old.Drain(ctx, today.Workers{Task: h}); err != nil {
			t.Fatal(err)
		}
		if len(texts) != 2 || texts[0] != "once: one" || texts[1] != "two" {
			t.Errorf("today's program was given %q", texts)
		}
		for _, id := range []today.TaskID{slow.ID, words.ID, twos} {
			is(t, get(t, old, id), today.TaskStateDone, 1, "")
		}
		is(t, get(t, old, today.TaskID(letter.ID)), today.TaskStateReady, 0, `no handler for kind "letter"`)
		is(t, get(t, old, today.TaskID(newNote.ID)), today.TaskStateReady, 0, `version 3 of kind "note"`)

		// Tomorrow's finds what was left, and still gets the old forms.
		again := note(t, old, "two")
		if _, err := old.Task.EnqueueSlow(ctx, today.Slow{Text: "left"}); err != nil {
			t.Fatal(err)
		}
		got := make(chan string, 10)
		run, cancel := context.WithCancel(ctx)
		done := make(chan error, 1)
		go func() {
			done <- next.Run(run, tomorrow.Workers{Task: newHands{got}, TaskOptions: queue.Options{Concurrency: 1}})
		}()
		seen := map[string]bool{}
		for range 3 {
			seen[await(t, "what today's program left", got)] = true
		}
		if !seen["to all"] || !seen["three"] || !seen["2: two"] {
			t.Errorf("tomorrow's program was given %v", seen)
		}
		is(t, ended(t, old, again), today.TaskStateDone, 1, "")
		is(t, ended(t, old, today.TaskID(letter.ID)), today.TaskStateDone, 1, "")
		cancel()
		if err := await(t, "Run's return", done); err != nil {
			t.Error(err)
		}
	})
}
