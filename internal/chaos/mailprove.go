//go:build unix

package main

import (
	"context"
	"fmt"
	"io"

	"github.com/hegner123/modulagen/generated"
)

// mailResult is what a run that sends mail came to.
type mailResult struct {
	Killed, Frozen  int
	Messages        int
	Accepted        int // messages that the sink has accepted
	Sent            int // rows that are sent
	Unknown         int // rows that are unknown
	UnknownAccepted int // of those, how many the sink has accepted
	Lost            int // rows that are neither unknown nor accepted
	Twice           int // messages that the sink has accepted more than once
	Violations      []string
	Findings        []error // what processes did that they should not
}

func (r mailResult) broken() bool { return len(r.Violations)+len(r.Findings) > 0 }

// proveMail compares what the table says with what the sink has accepted.
func proveMail(ctx context.Context, db *generated.DB, s *sink) (out mailResult, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out.Accepted = len(s.accepted)
	states := map[string]generated.EmailQueueStatus{}
	for row, err := range db.EmailQueue.All(ctx, generated.EmailQueueQuery{}) {
		if err != nil {
			return out, err
		}
		states[row.MessageID.V] = row.Status
		out.count(row, s.accepted[row.MessageID.V])
	}
	for id := range s.accepted {
		if _, known := states[id]; !known {
			out.violated("%s was accepted, and no row has it", id)
		}
	}
	for _, id := range s.certain {
		if states[id] != generated.EmailQueueStatusUnknown {
			out.violated("%s was accepted, its sender was killed before it had the answer, and its row is %s", id, states[id])
		}
	}
	return out, nil
}

// count judges one row, whose message was accepted so often.
func (r *mailResult) count(row *generated.EmailQueue, accepted int) {
	r.Messages++
	if accepted > 1 {
		r.Twice++
		r.violated("message %d, which is %s, was accepted %d times", row.ID, row.Status, accepted)
	}
	switch row.Status {
	case generated.EmailQueueStatusSent:
		r.Sent++
		if accepted == 0 {
			r.Lost++
			r.violated("message %d is sent, and was not accepted", row.ID)
		}
	case generated.EmailQueueStatusUnknown:
		r.Unknown++
		r.UnknownAccepted += min(accepted, 1)
	case generated.EmailQueueStatusPending, generated.EmailQueueStatusSending, generated.EmailQueueStatusFailed, generated.EmailQueueStatusCancelled:
		r.Lost += 1 - min(accepted, 1)
		r.violated("message %d is %s after %d attempts, and was accepted %d times: %s", row.ID, row.Status, row.Attempts, accepted, row.Error.V)
	}
}

func (r *mailResult) violated(format string, a ...any) {
	r.Violations = append(r.Violations, fmt.Sprintf(format, a...))
}

// print says what the run came to.
func (r mailResult) print(w io.Writer) {
	say := func(format string, a ...any) { fmt.Fprintf(w, "  "+format+"\n", a...) }
	say("%d messages, %d processes killed and %d frozen while they sent them: %d accepted by the sink, %d sent, %d unknown, of which %d were accepted; %d lost, %d accepted twice",
		r.Messages, r.Killed, r.Frozen, r.Accepted, r.Sent, r.Unknown, r.UnknownAccepted, r.Lost, r.Twice)
	for _, err := range r.Findings {
		say("FOUND: %v", err)
	}
	for i, text := range r.Violations {
		if i == shown {
			say("... and %d more", len(r.Violations)-shown)
			break
		}
		say("BROKEN: %s", text)
	}
}
