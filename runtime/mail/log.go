package mail

import (
	"context"
	"log/slog"
	"strings"
)

// maxLogged bounds the text of a message in a log, in bytes.
const maxLogged = 4000

// Log returns a sender for development, which logs each message instead of sending it: its
// envelope, subject and plain text. A nil logger is slog.Default.
func Log(logger *slog.Logger) Options { return Options{Transport: logTransport{logger}} }

type logTransport struct{ logger *slog.Logger }

// Send logs the message.
func (l logTransport) Send(ctx context.Context, e *Envelope, begin func(context.Context) error) (*Receipt, error) {
	if err := checkEnvelope(e); err != nil {
		return nil, &Error{Phase: PhaseSender, Fate: Fail, Server: "log", Err: err}
	}
	if err := begin(ctx); err != nil {
		return nil, err
	}
	logger := l.logger
	if logger == nil {
		logger = slog.Default()
	}
	attributes := []slog.Attr{slog.String("from", e.From), slog.String("to", strings.Join(e.To, ", ")), slog.Int("bytes", len(e.Data))}
	if m := e.Message; m != nil {
		text := strings.ToValidUTF8(m.Plain[:min(len(m.Plain), maxLogged)], "")
		attributes = append(attributes, slog.String("mailbox", m.Mailbox), slog.Int64("id", m.ID), slog.String("subject", m.Subject), slog.String("text", text))
	}
	logger.LogAttrs(ctx, slog.LevelInfo, "mail: a message, which is logged and not sent", attributes...)
	return &Receipt{Server: "log", Response: "logged"}, nil
}

// Close does nothing.
func (logTransport) Close() error { return nil }
