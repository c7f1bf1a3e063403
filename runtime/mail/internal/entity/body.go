package entity

import (
	"encoding/base64"
	"io"
	"mime/quotedprintable"
	"strings"
	"unicode/utf8"
)

// text writes a body of text: as quoted-printable, or, where that would be the longer one, as
// base64.
func (w *writer) text(e *Entity) error {
	high, _ := count(*e.Text)
	if dense(*e.Text, high) {
		w.encoding(e, "base64")
		return w.base64(func(out io.Writer) error {
			lines := &lineWriter{out: out}
			return copyText(lines, *e.Text)
		})
	}
	w.encoding(e, "quoted-printable")
	out := quotedprintable.NewWriter(&w.buf)
	if err := copyText(out, *e.Text); err != nil {
		return err
	}
	return out.Close()
}

// file writes a body of bytes.
func (w *writer) file(e *Entity) error {
	w.encoding(e, "base64")
	return w.base64(func(out io.Writer) error {
		_, err := out.Write(e.File)
		return err
	})
}

// encoding ends the header.
func (w *writer) encoding(e *Entity, name string) {
	w.field(Field{"Content-Type", e.Type})
	w.field(Field{"Content-Transfer-Encoding", name})
	w.buf.WriteString("\r\n")
}

func (w *writer) base64(write func(io.Writer) error) error {
	out := base64.NewEncoder(base64.StdEncoding, &breaker{out: &w.buf})
	if err := write(out); err != nil {
		return err
	}
	if err := out.Close(); err != nil {
		return err
	}
	_, err := w.buf.WriteString("\r\n")
	return err
}

// copyText writes text piece by piece: a string as bytes would be a second one of its size.
func copyText(w io.Writer, text string) error {
	onlyRead := struct{ io.Reader }{strings.NewReader(text)}
	_, err := io.CopyBuffer(onlyWrite{w}, onlyRead, make([]byte, 4<<10))
	return err
}

// onlyWrite hides ReadFrom, which would take a buffer of its own.
type onlyWrite struct{ io.Writer }

// base64Line is the length of lines of base64 (RFC 2045, section 6.8).
const base64Line = 76

// breaker ends lines.
type breaker struct {
	out  io.Writer
	used int
}

func (b *breaker) Write(p []byte) (int, error) {
	written := 0
	for len(p) > 0 {
		if b.used == base64Line {
			if _, err := io.WriteString(b.out, "\r\n"); err != nil {
				return written, err
			}
			b.used = 0
		}
		n, err := b.out.Write(p[:min(len(p), base64Line-b.used)])
		written, b.used, p = written+n, b.used+n, p[n:]
		if err != nil {
			return written, err
		}
	}
	return written, nil
}

// lineWriter ends lines of text by CRLF, whatever ended them: that is their form in MIME
// (RFC 2046, section 4.1.1). quotedprintable.Writer does so itself.
type lineWriter struct {
	out io.Writer
	cr  bool // the last byte was CR
	buf []byte
}

func (l *lineWriter) Write(p []byte) (int, error) {
	l.buf = l.buf[:0]
	for _, c := range p {
		switch {
		case c == '\n' && l.cr:
		case c == '\n' || c == '\r':
			l.buf = append(l.buf, '\r', '\n')
		default:
			l.buf = append(l.buf, c)
		}
		l.cr = c == '\r'
	}
	if _, err := l.out.Write(l.buf); err != nil {
		return 0, err
	}
	return len(p), nil
}

// count returns how many bytes of text quoted-printable writes as three, and how many lines
// text has.
func count(text string) (high, lines int) {
	for i := range len(text) {
		switch c := text[i]; {
		case c == '\n' || c == '\r':
			lines++
		case c >= utf8.RuneSelf || c == '=' || c < ' ' && c != '\t':
			high++
		}
	}
	return high, lines
}

// dense reports whether base64 is the shorter encoding: a sixth of the bytes as three.
func dense(text string, high int) bool { return high > len(text)/6 }

func textSize(text string) int {
	high, lines := count(text)
	if dense(text, high) {
		return base64Size(len(text) + lines)
	}
	n := len(text) + 2*high + 5*lines // a space or tab before each line end becomes "=20"
	return n + 3*(n/70+1)
}

func base64Size(n int) int {
	n = (n + 2) / 3 * 4
	return n + 2*(n/base64Line+2)
}
