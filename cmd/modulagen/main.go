// Command modulagen turns YAML definitions into typed Go and SQL.
//
//	modulagen init shop       a new project, which builds and runs as it stands
//	modulagen generate        definitions -> Go and SQL
//	modulagen check           the definitions are right and the output is theirs (for CI)
//	modulagen new NAME        a new definition
//	modulagen scaffold NAME   the handlers of a datatype, or what they lack
//	modulagen migrate new     the migration that the definitions lack
//	modulagen explain NAME    what a definition turns into
//	modulagen cron next EXPR  a schedule in words, with its next times
//	modulagen schema          the JSON Schema of the definition language
//
// It exits with 0, with 1 when it found something wrong, and with 2 when it was
// called wrongly. What it found goes to the standard error output.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr})
	stop()
	os.Exit(code)
}
