// Package protocol is what the tool and modulagen-migrate, which has the drivers, say to each
// other: a request as JSON, and lines of JSON with what happens, of which the last has the answer.
package protocol

import (
	"time"

	"github.com/hegner123/modulagen/runtime/store/core"
)

// Version of the protocol; both programs are built from the same sources.
const Version = "1"

// What a request has done.
const (
	Up       = "up"       // apply what is missing
	Status   = "status"   // list what is there
	Verify   = "verify"   // compare the tables
	Down     = "down"     // take the last migration back
	Baseline = "baseline" // record migrations without running them
	Replay   = "replay"   // run all on an empty SQLite database, and compare
)

// Request is one thing to do.
type Request struct {
	Do         string
	DSN        string
	Migrations []Migration
	DDL        [3]string // of the schema
	Tables     []core.TableDef
	Name       string        // of Baseline: the last that counts
	Back       *Script       // of Down
	Skip       int           // of Replay: how many migrations stand for StartDDL, the tables that they end in
	StartDDL   string        // for SQLite
	NoBackup   bool          // of Up and Down
	Wait       time.Duration // of Up and Down; 0: as package migrate has it
}

// Migration is one folder.
type Migration struct {
	Name, Parent string
	SQL          [3]string // by sqltext.Dialect; empty: it has none for that database
	Tables       []byte    // tables.json
}

// Script is what takes a migration back.
type Script struct {
	Name string // of that migration
	SQL  [3]string
}

// Line is one line of the answer.
type Line struct {
	Log     string   `json:",omitempty"` // progress, for people
	Failure *Failure `json:",omitempty"` // why it ended
	Answer  *Answer  `json:",omitempty"`
}

// Failure is an error.
type Failure struct {
	Text string // all of it
	// Of a migration that failed: which, where in which file of the folder of migrations, and why.
	Migration, File, What, Cause string
	Step, Line                   int
}

// Error returns the whole text.
func (f *Failure) Error() string { return f.Text }

// Answer is the last line, where nothing went wrong.
type Answer struct {
	Database    string   // its DSN without user, password and options
	Created     bool     // of Up: it was new
	Baseline    string   // of Up and Baseline: what was recorded without running it
	Applied     []string // of Up; of Down, what was taken back
	Others      []string // of Up: what another process finished meanwhile
	Waits       []string // of Up: what waits for programs of the version before
	Lacks       bool     // of Up: programs of these definitions cannot open the database before
	Backups     []string // of Up and Down: copies of the file that were made first
	Pending     []string // of Verify: migrations that the database lacks
	Differences []string // of Verify and Replay
	Statements  []string // of Verify: what mends some of the differences
	Expected    []string // of Verify: differences that the pending migrations account for
	Notes       []string // of Verify: what is there beside
	Recorded    bool     // of Status: the database has a record of migrations
	Migrations  []State  // of Status
}

// State is what a database says of one migration.
type State struct {
	Name    string `json:"name"`
	State   string `json:"state"`
	Applied bool   `json:"applied"`           // as a whole, or found to be there
	Unknown bool   `json:"unknown"`           // the project does not have it
	Ended   string `json:"ended,omitempty"`   // RFC 3339; empty: it has not
	Program string `json:"program,omitempty"` // that applied it, or is at it
	Failure string `json:"failure,omitempty"` // where and why it failed
	Next    string `json:"next,omitempty"`    // where it goes on: the line of its file, and the step
	Detail  string `json:"detail,omitempty"`  // how far it is, what it waits for
}
