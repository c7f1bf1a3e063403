// Package child is sqlc itself.
//
// sqlc has one exported entry, which is bound to the process's own standard
// streams and leaves through os.Exit when a query is wrong. Called from the
// generator it would take the generator with it and skip its cleaning up. So it
// runs in a process of its own, the program modulagen-sqlc, which alone links
// this package.
package child

import "github.com/sqlc-dev/sqlc/pkg/cli"

// Run runs sqlc with its own arguments and returns its exit code, if it returns.
func Run(args []string) int { return cli.Run(args) }
