package core

import "time"

// Clock is this process's clock, Options.Now: for what a process times itself,
// and for SQLite, which has no clock of its own. UTC, in microseconds.
func (db *DB) Clock() time.Time { return Moment(db.opts.Now()) }

// FakeClock reports whether Options.Now was given: time is then what a test says,
// and waiting for it by this machine's clock would be in vain.
func (db *DB) FakeClock() bool { return db.fake }

// LocalClock reports whether statements take their time from Clock, as an argument:
// on SQLite, and where Options.Now was given. Elsewhere they ask their server.
func (db *DB) LocalClock() bool { return db.fake || !db.serverClock() }

func (db *DB) serverClock() bool { return db.backend.Clock() != "" }
