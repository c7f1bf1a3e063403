// Package child is sqlc itself, run by a copy of this program.
//
// sqlc has one exported entry, which is bound to the process's own standard
// streams and leaves through os.Exit when a query is wrong. Called from the
// generator it would take the generator with it and skip its cleaning up. So the
// program starts a copy of itself with a hidden subcommand, and this package,
// the only one that links sqlc, answers it:
//
//	func main() {
//		child.Main() // does not return in a copy started for sqlc
//		...
//	}
package child

import (
	"os"

	"github.com/sqlc-dev/sqlc/pkg/cli"
)

// Subcommand is the hidden first argument of a copy that is to be sqlc. The
// package that starts the copy holds the same word: it cannot import this one
// without linking sqlc into every test.
const Subcommand = "__sqlc"

// Main runs sqlc and exits when this process was started for that, and returns
// at once otherwise. It is the first thing that main calls.
func Main() {
	if len(os.Args) < 2 || os.Args[1] != Subcommand {
		return
	}
	os.Exit(cli.Run(os.Args[2:]))
}
