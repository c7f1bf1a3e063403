// Package protocol is what the generator and package scheduler agree on: which argument has
// which position, and the limits of what the columns hold. Programs have no use for it.
package protocol

// The positions of the arguments that the runtime passes to every statement on jobs. A statement
// uses those that its placeholders name.
const (
	ArgID          = iota // the job's id
	ArgIDs                // of many jobs, a list
	ArgUntil              // the instant up to which jobs are looked for
	ArgLimit              // rows at most
	ArgNext               // the next instant, or null
	ArgWas                // the next instant as it was read
	ArgSchedule           // the schedule that it was computed from
	ArgZone               // and the time zone
	ArgRan                // when the last run was made, or null
	ArgRuns               // how many runs are added
	ArgStatus             // how the last run ended, or null
	ArgError              // why, or null
	ArgKept               // 1: failures go on being counted, 0: from the start
	ArgFailed             // how many more have failed
	ArgRevision           // of the calendar that it was computed with
	ArgRevisionWas        // as it was read
	ArgDays               // of a calendar
	ArgCount              // how many there are
)

// How long the texts are that the runtime writes, in characters.
const (
	MaxError  = 4_000
	MaxOutput = 34_000 // cron.MaxOutput, and how much there was beyond
)
