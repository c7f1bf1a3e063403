package webhook

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ReceiverOptions are the options of a [Receiver]. Keys or Source must be set; of all
// others the zero value is the sensible one.
type ReceiverOptions struct {
	// Keys verify messages of the one sender that the Receiver has. While keys rotate,
	// they are the old and the new one.
	Keys []Verifier
	// Source returns who a request claims to be from, where a Receiver has several
	// senders: by its path, and not by what its body says, which is not verified yet. A
	// sender without keys is answered 401, an error 503. nil means that Keys are those
	// of all requests.
	Source func(r *http.Request) (Source, error)

	// Tolerance is as in [VerifyOptions].
	Tolerance time.Duration
	// MaxBody bounds the bytes of a body; 0 means 1 MiB. A longer one is answered 413.
	MaxBody int64

	// Replays knows which messages were handled; nil means a [MemoryReplays] of its
	// default size, which suffices when one process receives.
	Replays ReplayChecker
	// NoReplayCheck has every verified request handled, duplicates too, for handlers
	// that recognise them.
	NoReplayCheck bool
	// Remember is how long a handled message is remembered; 0 means 24 hours. It should
	// be longer than the sender waits between two attempts. It is never less than a
	// copy of the request could be verified.
	Remember time.Duration
	// Duplicate answers messages that were handled before; nil answers 200, so that the
	// sender stops.
	Duplicate http.Handler

	// Logger is where refused requests are logged, and failures of Replays and Source;
	// nil means nowhere.
	Logger *slog.Logger
}

// A Source is a sender of messages, as its receiver knows it.
type Source struct {
	// Name keeps the IDs of one sender apart from those of another, who could otherwise
	// use them first. It must stay the same while keys rotate. It is remembered with
	// each ID, so it should be short.
	Name string
	// Keys are those of the sender. Empty: the sender is not known.
	Keys []Verifier
}

const (
	defaultMaxBody  = 1 << 20
	defaultRemember = 24 * time.Hour
	// verifyMargin is the time from verifying a message to claiming it, at most.
	verifyMargin = time.Minute
	// settleTimeout bounds recording the end of a message, which goes on when the
	// sender has hung up.
	settleTimeout = 10 * time.Second
	// inProgressRetry is what Retry-After says of a message that is in progress.
	inProgressRetry = 5 * time.Second
)

// A Receiver is an HTTP handler in front of the one that handles messages. It passes on
// verified requests only, and none whose message was handled before. The package's
// documentation lists the statuses that it answers with.
type Receiver struct {
	next http.Handler
	opts ReceiverOptions
}

// NewReceiver returns a Receiver that passes verified requests to next. The next handler
// reads the body as usual, and the message with [MessageFrom]. A message counts as
// handled when next answers 2xx, which it also does when it writes nothing. The error is
// ErrInvalidKey, or says which option cannot be.
func NewReceiver(next http.Handler, opts ReceiverOptions) (*Receiver, error) {
	switch {
	case next == nil:
		return nil, errors.New("webhook: NewReceiver has no handler")
	case opts.Source != nil && opts.Keys != nil:
		return nil, errors.New("webhook: ReceiverOptions has Keys and Source; set one of them")
	case opts.Tolerance < 0, opts.MaxBody < 0, opts.Remember < 0:
		return nil, errors.New("webhook: Tolerance, MaxBody and Remember of ReceiverOptions must not be negative")
	}
	if opts.Source == nil {
		if err := checkKeys(opts.Keys); err != nil {
			return nil, err
		}
		only := Source{Keys: slices.Clone(opts.Keys)}
		opts.Source = func(*http.Request) (Source, error) { return only, nil }
	}
	opts.Tolerance = cmp.Or(opts.Tolerance, defaultTolerance)
	opts.MaxBody = cmp.Or(opts.MaxBody, defaultMaxBody)
	opts.Remember = cmp.Or(opts.Remember, defaultRemember)
	if opts.Replays == nil {
		opts.Replays = NewMemoryReplays(0)
	}
	if opts.Duplicate == nil {
		opts.Duplicate = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	return &Receiver{next: next, opts: opts}, nil
}

// ServeHTTP verifies a request and passes it on.
func (rc *Receiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	message, sender, body, err := rc.receive(w, r)
	if err != nil {
		rc.refuse(w, r, err)
		return
	}
	r = withMessage(r, message, body)
	if rc.opts.NoReplayCheck {
		rc.next.ServeHTTP(w, r)
		return
	}
	// A copy of this request can be verified until the tolerance is over.
	until := time.Now().Add(rc.opts.Remember)
	if verified := message.Time.Add(rc.opts.Tolerance + verifyMargin); verified.After(until) {
		until = verified
	}
	claim, err := rc.opts.Replays.Claim(r.Context(), sender, message.ID, until)
	switch {
	case errors.Is(err, ErrDuplicate):
		rc.opts.Duplicate.ServeHTTP(w, r)
	case errors.Is(err, ErrInProgress):
		w.Header().Set("Retry-After", strconv.Itoa(int(inProgressRetry/time.Second)))
		rc.refuse(w, r, refusedRequest{http.StatusServiceUnavailable, err})
	case err != nil:
		rc.refuse(w, r, refusedRequest{http.StatusServiceUnavailable, fmt.Errorf("webhook: checking for a replay: %w", err)})
	default:
		rc.handle(w, r, claim)
	}
}

// handle runs the next handler and settles the claim, also when the handler panics.
func (rc *Receiver) handle(w http.ResponseWriter, r *http.Request, claim ReplayClaim) {
	answer := &answerWriter{ResponseWriter: w}
	returned := false
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), settleTimeout)
		defer cancel()
		end := claim.Release
		if returned && answer.success() {
			end = claim.Done
		}
		if err := end(ctx); err != nil {
			rc.opts.Logger.ErrorContext(ctx, "webhook: the end of a message is not recorded", "error", err)
		}
	}()
	rc.next.ServeHTTP(answer, r)
	returned = true
}

// refusedRequest is an error with the status that answers it.
type refusedRequest struct {
	status int
	err    error
}

func (e refusedRequest) Error() string { return e.err.Error() }
func (e refusedRequest) Unwrap() error { return e.err }

// receive verifies a request. What can be refused without the body is, before it is read.
func (rc *Receiver) receive(w http.ResponseWriter, r *http.Request) (m Message, sender string, body []byte, err error) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return m, "", nil, refusedRequest{http.StatusMethodNotAllowed, fmt.Errorf("webhook: the method is %q; messages are sent with POST", r.Method)}
	}
	for _, encoding := range r.Header.Values("Content-Encoding") {
		if encoding != "" && !strings.EqualFold(encoding, "identity") {
			return m, "", nil, refusedRequest{http.StatusUnsupportedMediaType, errors.New("webhook: the body has a Content-Encoding; what is signed is sent as it is")}
		}
	}
	opts := VerifyOptions{Tolerance: rc.opts.Tolerance}
	s, err := parseHeader(r.Header)
	if err != nil {
		return m, "", nil, err
	}
	if err := s.checkTime(opts); err != nil {
		return m, "", nil, err
	}
	from, err := rc.opts.Source(r)
	switch {
	case err != nil:
		return m, "", nil, refusedRequest{http.StatusServiceUnavailable, fmt.Errorf("webhook: looking up the sender: %w", err)}
	case len(from.Keys) == 0:
		return m, "", nil, refusedRequest{http.StatusUnauthorized, errors.New("webhook: unknown sender")}
	}
	if body, err = rc.readBody(w, r); err != nil {
		return m, "", nil, err
	}
	// The time is checked again: the body may have been long on its way.
	m, err = Verify(r.Header, body, opts, from.Keys...)
	return m, from.Name, body, err
}

func (rc *Receiver) readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	tooLarge := refusedRequest{http.StatusRequestEntityTooLarge, fmt.Errorf("webhook: the body is over %d bytes", rc.opts.MaxBody)}
	if r.ContentLength > rc.opts.MaxBody {
		return nil, tooLarge
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, rc.opts.MaxBody))
	var limit *http.MaxBytesError
	switch {
	case errors.As(err, &limit):
		return nil, tooLarge
	case err != nil:
		return nil, refusedRequest{http.StatusBadRequest, fmt.Errorf("webhook: reading the body: %w", err)}
	}
	return body, nil
}

// refuse answers with the text of a status, which says nothing of keys and of what was
// wrong with a signature. The log says more.
func (rc *Receiver) refuse(w http.ResponseWriter, r *http.Request, err error) {
	status := http.StatusUnauthorized
	var with refusedRequest
	switch {
	case errors.As(err, &with):
		status = with.status
	case errors.Is(err, ErrMissingHeader), errors.Is(err, ErrInvalidHeader), errors.Is(err, ErrInvalidTimestamp):
		status = http.StatusBadRequest
	case errors.Is(err, ErrInvalidKey):
		status = http.StatusServiceUnavailable
	}
	level := slog.LevelWarn
	if status >= http.StatusInternalServerError && !errors.Is(err, ErrInProgress) {
		level = slog.LevelError
	}
	rc.opts.Logger.Log(r.Context(), level, "webhook: a request is refused", "status", status, "error", err)
	http.Error(w, http.StatusText(status), status)
}

type messageKey struct{}

// MessageFrom returns the verified message that a [Receiver] put into the context of a
// request, and false where there is none.
func MessageFrom(ctx context.Context) (Message, bool) {
	m, ok := ctx.Value(messageKey{}).(Message)
	return m, ok
}

// withMessage returns the request with its message, and with the body to be read again.
func withMessage(r *http.Request, m Message, body []byte) *http.Request {
	r = r.WithContext(context.WithValue(r.Context(), messageKey{}, m))
	r.Body = io.NopCloser(bytes.NewReader(body))
	r.ContentLength = int64(len(body))
	r.TransferEncoding = nil
	return r
}

// answerWriter notes the status that the next handler answers.
type answerWriter struct {
	http.ResponseWriter
	status int // 0: none yet
}

func (w *answerWriter) WriteHeader(status int) {
	informational := status >= 100 && status < 200 && status != http.StatusSwitchingProtocols
	if w.status == 0 && !informational {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *answerWriter) Write(data []byte) (int, error) {
	w.status = cmp.Or(w.status, http.StatusOK)
	return w.ResponseWriter.Write(data)
}

// FlushError is what http.ResponseController calls; it answers 200 if nothing was.
func (w *answerWriter) FlushError() error {
	w.status = cmp.Or(w.status, http.StatusOK)
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Unwrap is what http.ResponseController finds the other methods by.
func (w *answerWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// success reports whether the answer is 2xx, which it is when nothing was written.
func (w *answerWriter) success() bool {
	return w.status == 0 || w.status >= 200 && w.status < 300
}
