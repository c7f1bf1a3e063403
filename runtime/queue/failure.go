package queue

import "time"

// Failure is one entry of a row's queue_errors.
type Failure struct {
	Attempt int64     `json:"attempt"`
	At      time.Time `json:"at"`
	Error   string    `json:"error"` // at most 500 characters
}
