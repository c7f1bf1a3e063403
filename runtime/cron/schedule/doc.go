// Package schedule has the grammar of schedules: cron expressions and what stands beside them.
//
//	s, err := schedule.Parse("CRON_TZ=Europe/Paris 30 2 * * mon-fri", schedule.Options{})
//	next := s.Next(time.Now())
//
// An expression has five fields (minute, hour, day of the month, month, day of the week), or six
// with the second first, or is a descriptor such as @daily or @every 90m. The grammar is that of
// github.com/robfig/cron/v3; what differs, and all that an expression may hold, is in docs/cron.md.
//
// A Schedule says when. It is a value that nothing changes: Next is a pure function, safe for use
// by many goroutines. A Plan is a Schedule with what a job adds to it: start and end, excluded
// days, and a jitter.
//
// # Daylight saving time
//
// A schedule that names its hours runs once at each local time that it names. One that falls into
// an hour that clocks skip runs right after the gap; one in an hour that clocks repeat runs in the
// first of the two. A schedule whose field of hours is * follows elapsed time: it runs at every
// instant whose local time matches, in both passes of a repeated hour, and no instant is added
// where an hour is skipped.
package schedule
