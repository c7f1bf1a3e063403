package store

import (
	"log/slog"
	"time"
)

// Options of Open. The zero value is the sensible choice.
type Options struct {
	Logger   *slog.Logger     // retries and slow openings; nil is silent
	Now      func() time.Time // fills `default: now`; nil is time.Now
	MaxConns int              // connections at most, beside those that workers and caches keep for themselves; 0: the driver's choice, see its package
	Attempts int              // of a transaction that meets deadlocks or locks; 0 is 10
}
