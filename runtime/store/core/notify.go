package core

import (
	"context"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

const (
	notifyEvery = 5 * time.Millisecond // at most one for each topic
	notifyRetry = 500 * time.Millisecond
	notifyFlush = 2 * time.Second // how long Close waits for the last
	notifyMost  = 1000            // topics on their way; more become one for all
	topicBytes  = 200
)

// everything is the topic that stands for all of them.
const everything = ""

// sender notifies other processes of what was announced. The first announcement of a
// topic is sent at once, those of the next 5 ms together at their end: the last
// is never suppressed. All topics that are due go in one statement, in no one's
// transaction. A goroutine runs while there is something to send.
type sender struct {
	notify func(ctx context.Context, topics []string) error
	warn   func(error)
	ctx    context.Context
	cancel context.CancelFunc

	mu      sync.Mutex
	due     map[string]time.Time // not yet sent: when it may be
	recent  map[string]time.Time // sent: until when the next one waits
	signal  chan struct{}        // something was added, or the end has come
	running bool
	failing bool // the last could not be sent, which was said
	closing bool
	ended   sync.WaitGroup
}

func newSender(notify func(context.Context, []string) error, warn func(error)) *sender {
	s := &sender{
		notify: notify, warn: warn,
		due: map[string]time.Time{}, recent: map[string]time.Time{}, signal: make(chan struct{}, 1),
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// add has topic sent.
func (s *sender) add(topic string) {
	if len(topic) > topicBytes || !utf8.ValidString(topic) || strings.IndexByte(topic, 0) >= 0 {
		topic = everything
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return
	}
	s.put(topic, time.Now())
	if !s.running {
		s.running = true
		s.ended.Go(s.run)
		return
	}
	s.poke()
}

func (s *sender) put(topic string, now time.Time) {
	if len(s.due) >= notifyMost {
		clear(s.due)
		topic = everything
	}
	if _, waits := s.due[topic]; waits {
		return
	}
	if until, ok := s.recent[topic]; ok && until.After(now) {
		now = until
	}
	s.due[topic] = now
}

func (s *sender) poke() {
	select {
	case s.signal <- struct{}{}:
	default:
	}
}

// run sends until nothing is left.
func (s *sender) run() {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		topics, wait, more := s.next(time.Now())
		if !more {
			return
		}
		if len(topics) > 0 {
			if err := s.notify(s.ctx, topics); err != nil {
				s.failed(topics, err)
			} else {
				s.failing = false
			}
			continue
		}
		timer.Reset(wait)
		select {
		case <-timer.C:
		case <-s.signal:
		}
	}
}

// next takes the topics that are due, or says how long none will be; more is
// false when there is nothing to do.
func (s *sender) next(now time.Time) (topics []string, wait time.Duration, more bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for topic, until := range s.recent {
		if !until.After(now) {
			delete(s.recent, topic)
		}
	}
	if s.ctx.Err() != nil || len(s.due) == 0 {
		s.running = false
		return nil, 0, false
	}
	wait = time.Hour
	for topic, at := range s.due {
		if at.After(now) && !s.closing {
			wait = min(wait, at.Sub(now))
			continue
		}
		topics = append(topics, topic)
		delete(s.due, topic)
		s.recent[topic] = now.Add(notifyEvery)
	}
	return topics, wait, true
}

// failed has topics sent again later, unless the end has come.
func (s *sender) failed(topics []string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil {
		return
	}
	if !s.failing {
		s.warn(err)
	}
	s.failing = true
	if s.closing { // Close does not wait for a database that is gone
		s.cancel()
		return
	}
	later := time.Now().Add(notifyRetry)
	for _, t := range topics {
		s.recent[t] = later
		delete(s.due, t)
		s.put(t, later)
	}
}

// close sends what is left.
func (s *sender) close() {
	s.mu.Lock()
	s.closing = true
	s.poke()
	s.mu.Unlock()
	late := time.AfterFunc(notifyFlush, s.cancel)
	s.ended.Wait()
	late.Stop()
	s.cancel()
}
