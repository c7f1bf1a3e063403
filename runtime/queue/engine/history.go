package engine

import (
	"encoding/json"
	"time"

	"github.com/hegner123/modulagen/runtime/internal/columntext"
	"github.com/hegner123/modulagen/runtime/queue"
)

const (
	maxHistory = 5
	maxPast    = 500
)

// history returns the last failures with one added. It drops a history that cannot
// be decoded.
func history(past json.RawMessage, attempt int64, text string, now time.Time) json.RawMessage {
	var all []queue.Failure
	if json.Unmarshal(past, &all) != nil {
		all = nil
	}
	all = append(all, queue.Failure{Attempt: attempt, At: now.UTC(), Error: columntext.Cut(text, maxPast)})
	all = all[max(0, len(all)-maxHistory):]
	out, err := json.Marshal(all)
	if err != nil {
		return json.RawMessage("[]")
	}
	return out
}
