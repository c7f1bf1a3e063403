package queue

import (
	"math/rand/v2"
	"time"
)

// Backoff returns how long a job waits after its n-th attempt (n from 1) failed with
// err.
type Backoff func(n int, err error) time.Duration

// Exponential waits 15 s, 30 s, 1 min, 2 min and so on, at most 6 h, with a random
// jitter of a quarter either way, so that jobs that failed together are not retried
// together. It is the default.
func Exponential(n int, _ error) time.Duration {
	const first, most = 15 * time.Second, 6 * time.Hour
	d := most
	if n < 12 {
		d = min(first<<(max(n, 1)-1), most)
	}
	return d*3/4 + rand.N(d/2)
}

// SquaredMinutes waits n*n minutes after the n-th attempt, at most a day.
func SquaredMinutes(n int, _ error) time.Duration {
	const day = 24 * 60
	if n > 38 { // 38*38 minutes is a day and four minutes
		n = 38
	}
	return time.Duration(min(n*n, day)) * time.Minute
}

// Delays returns a Backoff that waits for the n-th delay of the list after the n-th
// attempt, and for the last one after all further attempts. An empty list means no
// wait.
func Delays(list ...time.Duration) Backoff {
	return func(n int, _ error) time.Duration {
		if len(list) == 0 {
			return 0
		}
		return list[min(max(n, 1), len(list))-1]
	}
}
