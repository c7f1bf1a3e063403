package mail

import (
	"errors"
	"math/rand/v2"
	"slices"
	"time"
)

// A server at fault is left alone for minRest, and twice as long with each failure, up to
// maxRest.
const (
	minRest = time.Second
	maxRest = time.Minute
)

// smtpServer is a server with what is known of it. The transport's mutex guards it.
type smtpServer struct {
	Server
	rest  time.Duration // of the last failure; 0 while the server is healthy
	until time.Time     // the server is left alone until then
	fault *Error        // the last failure

	allowed time.Time // of the rate: when the next message of an even flow may be sent
}

// failed notes that no connection could be opened. Failures that were under way together count
// as one.
func (s *smtpServer) failed(began time.Time, err error) {
	var fault *Error
	if !errors.As(err, &fault) || fault.Fate != Hold {
		return
	}
	if s.rest == 0 || !began.Before(s.until) {
		s.rest = min(max(2*s.rest, minRest), maxRest)
		s.until = time.Now().Add(s.rest)
	}
	fault.After = max(time.Until(s.until), 0)
	kept := *fault
	s.fault = &kept
}

func (s *smtpServer) healthy() { s.rest, s.until, s.fault = 0, time.Time{}, nil }

// due returns how long the rate makes the next message wait.
func (s *smtpServer) due(now time.Time) time.Duration {
	if s.Rate.Messages == 0 {
		return 0
	}
	burst := time.Duration(s.Rate.Messages-1) * s.interval()
	return max(s.allowed.Add(-burst).Sub(now), 0)
}

// count counts a message for the rate.
func (s *smtpServer) count(now time.Time) {
	if s.Rate.Messages == 0 {
		return
	}
	if s.allowed.Before(now) {
		s.allowed = now
	}
	s.allowed = s.allowed.Add(s.interval())
}

func (s *smtpServer) interval() time.Duration { return s.Rate.Per / time.Duration(s.Rate.Messages) }

// choice is what pick decided: a server, or to wait, or that there is none.
type choice struct {
	server *smtpServer
	wait   time.Duration
	fault  *Error
}

// pick chooses a server for a message that was not sent by those in tried.
func (t *smtpTransport) pick(tried []*smtpServer) choice {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	var fault *Error
	var usable []*smtpServer
	for _, s := range t.servers {
		switch {
		case slices.Contains(tried, s):
		case now.Before(s.until):
			fault = sooner(fault, s, now)
		case len(usable) > 0 && s.Order > usable[0].Order:
		case len(usable) > 0 && s.Order < usable[0].Order:
			usable = []*smtpServer{s}
		default:
			usable = append(usable, s)
		}
	}
	if len(usable) == 0 {
		return choice{fault: fault}
	}
	ready := slices.DeleteFunc(slices.Clone(usable), func(s *smtpServer) bool { return s.due(now) > 0 })
	if len(ready) == 0 {
		first := slices.MinFunc(usable, func(a, b *smtpServer) int { return int(a.due(now) - b.due(now)) })
		return choice{wait: first.due(now)}
	}
	s := byWeight(ready)
	s.count(now)
	return choice{server: s}
}

// sooner returns the failure of the server that is tried again first.
func sooner(fault *Error, s *smtpServer, now time.Time) *Error {
	after := s.until.Sub(now)
	if fault != nil && fault.After <= after {
		return fault
	}
	again := *s.fault
	again.After = after
	return &again
}

func byWeight(servers []*smtpServer) *smtpServer {
	total := 0
	for _, s := range servers {
		total += s.Weight
	}
	n := rand.IntN(total)
	for _, s := range servers {
		if n -= s.Weight; n < 0 {
			return s
		}
	}
	return servers[0]
}
