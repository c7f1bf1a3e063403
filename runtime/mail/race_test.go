//go:build race

package mail_test

// The race detector's own allocations are counted with those of a test.
func init() { raceDetector = true }
