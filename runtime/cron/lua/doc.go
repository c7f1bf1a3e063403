// Package lua runs plugins: functions in Lua 5.1 that jobs call.
//
//	Workers{Cron: cron.Options{Plugins: lua.Folder("plugins")}}
//
// A folder in it is a plugin: plugins/reports/main.lua defines global functions, and
// plugins/reports/plugin.yaml says what they may use. A job with the action_type plugin and the
// action_config {"plugin_name": "reports", "function": "generateDailyReport"} calls one.
//
// A plugin is trusted with what its manifest permits, and with nothing else. Each run has a VM of
// its own, without io, debug, load and coroutines, and with a bound on instructions, on memory, on
// the depth of calls, on output, on calls of the project and on time. A run that goes beyond one
// is stopped, whatever it catches, and is not retried. The VM of gopher-lua counts no memory, and its library
// cannot be stopped: so the syntax tree of each file is rewritten before it is compiled (rewrite.go), and the library
// is this package's.
//
//	options.go              where plugins are, and the bounds
//	load.go, manifest.go    read and compile them
//	rewrite*.go, counted.go have what allocates call Go, which accounts for it
//	bounds.go, machine.go   the VM of one run
//	base.go, *lib.go        the library of Lua; pattern.go its patterns
//	api.go, dbapi.go, query.go, column.go  what plugins may use of the project
//	action.go, trial.go     the action of jobs, and modulagen plugin run
package lua
