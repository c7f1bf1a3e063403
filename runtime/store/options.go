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

	Migrate     MigrateMode   // what Open does about migrations that are missing; the zero value is MigrateCheck
	NoBackup    bool          // makes no copy of an SQLite file before a migration that is not safe
	MigrateWait time.Duration // how long a process waits for another one that migrates; 0 is 10 minutes
}

// MigrateMode is what Open does about the migrations of the definitions.
type MigrateMode int

// The modes. A new database is created from the schema at once in the first two.
const (
	MigrateCheck  MigrateMode = iota // Open fails and lists what is missing
	MigrateUp                        // Open applies what is missing
	MigrateManual                    // Open neither checks nor applies: the program calls Migrate
)
