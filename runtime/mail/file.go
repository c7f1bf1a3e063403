package mail

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// File returns a sender for development, which writes each message to a file of dir instead of
// sending it: 20261126T101502.000000000Z-3f9c01ab.eml, which mail programs open. The envelope is
// in the headers X-Envelope-From and X-Envelope-To. dir is made when it is missing.
func File(dir string) Options { return Options{Transport: fileTransport{dir}} }

type fileTransport struct{ dir string }

// Send writes the message, whole or not at all.
func (f fileTransport) Send(ctx context.Context, e *Envelope, begin func(context.Context) error) (*Receipt, error) {
	if err := checkEnvelope(e); err != nil {
		return nil, &Error{Phase: PhaseSender, Fate: Fail, Server: f.dir, Err: err}
	}
	temporary, err := f.write(e)
	if err != nil {
		return nil, &Error{Phase: PhaseConnect, Fate: Hold, Server: f.dir, Err: err, Hint: "the folder must be one that the program can write to"}
	}
	if err := begin(ctx); err != nil {
		if left := os.Remove(temporary); left != nil {
			return nil, errors.Join(err, left)
		}
		return nil, err
	}
	name := strings.TrimSuffix(temporary, ".part")
	if err := os.Rename(temporary, name); err != nil {
		return nil, &Error{Phase: PhaseData, Fate: Retry, Server: f.dir, Err: err}
	}
	return &Receipt{Server: f.dir, Response: filepath.Base(name)}, nil
}

// write writes a file that does not end in .eml yet.
func (f fileTransport) write(e *Envelope) (name string, err error) {
	if err := os.MkdirAll(f.dir, 0o700); err != nil {
		return "", err
	}
	unique := make([]byte, 4)
	rand.Read(unique) // never fails
	name = filepath.Join(f.dir, time.Now().UTC().Format("20060102T150405.000000000Z-")+hex.EncodeToString(unique)+".eml.part")
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", err
	}
	_, err = fmt.Fprintf(file, "X-Envelope-From: <%s>\r\nX-Envelope-To: <%s>\r\n%s", e.From, strings.Join(e.To, ">,\r\n <"), e.Data)
	if err := errors.Join(err, file.Close()); err != nil {
		return "", errors.Join(err, os.Remove(name))
	}
	return name, nil
}

// Close does nothing.
func (fileTransport) Close() error { return nil }
