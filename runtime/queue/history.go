package queue

import (
	"encoding/json"
	"time"
)

// Failure is one entry of a row's queue_errors.
type Failure struct {
	Attempt int64     `json:"attempt"`
	At      time.Time `json:"at"`
	Error   string    `json:"error"` // at most 500 characters
}

const (
	maxHistory = 5
	maxPast    = 500
)

// history returns the last failures with one added. It drops a history that cannot
// be decoded.
func history(past json.RawMessage, attempt int64, text string, now time.Time) json.RawMessage {
	var all []Failure
	if json.Unmarshal(past, &all) != nil {
		all = nil
	}
	all = append(all, Failure{attempt, now.UTC(), fit(text, maxPast)})
	all = all[max(0, len(all)-maxHistory):]
	out, err := json.Marshal(all)
	if err != nil {
		return json.RawMessage("[]")
	}
	return out
}
