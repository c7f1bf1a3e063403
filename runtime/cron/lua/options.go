package lua

import (
	"cmp"
	"io/fs"
	"log/slog"
	"os"
	"time"
)

// Options bound what a run of a plugin may use. The zero value is sensible.
type Options struct {
	// Instructions is how many instructions of Lua a run may execute; 0 means 10,000,000. What
	// functions of Go do for it is counted as so many as it takes.
	Instructions int64
	// Memory is how many bytes a run may allocate in all, 0 means 128 MiB. What it has
	// released counts as well: so the bound holds whenever Go's garbage collector runs.
	Memory int64
	// Depth is how many calls may be within one another; 0 means 200.
	Depth int
	// Output is how many bytes a run may log; 0 means 1 MiB. The history of runs keeps the first
	// cron.MaxOutput of them.
	Output int64
	// Calls is how many calls of db, cache, http and enqueue a run may make; 0 means 10,000.
	Calls int
	// Time is how long a run may take, requests and statements included; 0 means a minute.
	Time time.Duration
	// Logger gets what plugins log, with the names of job and plugin; nil means that the output
	// of the run alone does.
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	o.Instructions = cmp.Or(o.Instructions, 10_000_000)
	o.Memory = cmp.Or(o.Memory, 128<<20)
	o.Depth = cmp.Or(o.Depth, 200)
	o.Output = cmp.Or(o.Output, 1<<20)
	o.Calls = cmp.Or(o.Calls, 10_000)
	o.Time = cmp.Or(o.Time, time.Minute)
	return o
}

// Source is where plugins are: a folder with a folder for each. It is a cron.Provider.
type Source struct {
	files fs.FS
	root  string // before the names of files in messages
	opts  Options
}

// Folder returns the plugins in a folder of the file system. They are read when workers start.
func Folder(dir string, opts ...Options) *Source {
	return &Source{files: os.DirFS(dir), root: dir + "/", opts: completed(opts)}
}

// FS returns the plugins in the root of a file system, such as an embedded one (see fs.Sub).
func FS(files fs.FS, opts ...Options) *Source {
	return &Source{files: files, opts: completed(opts)}
}

// completed returns the last of the options, of which there is at most one.
func completed(opts []Options) Options {
	var o Options
	for _, given := range opts {
		o = given
	}
	return o.withDefaults()
}
