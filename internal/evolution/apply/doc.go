// Package apply tests how migrations that the generator planned are applied: by processes that
// are killed, that start together, that are older, on databases that are in use.
package apply
