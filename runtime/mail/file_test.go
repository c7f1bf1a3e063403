package mail_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/hegner123/modulagen/runtime/mail"
	"github.com/hegner123/modulagen/runtime/mail/mailtest"
)

func TestFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	tr := mail.File(dir).Transport
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, err, begun := send(t, tr, envelope("ann@example.com", "hidden@example.com")); err != nil || begun != 1 {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	stop := errors.New("stopped")
	if _, err := tr.Send(t.Context(), envelope(), func(context.Context) error { return stop }); err != stop {
		t.Errorf("%v, want the error of begin", err)
	}
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(names) != 20 || !slices.IsSorted(names) {
		t.Fatalf("%v, %v", names, err)
	}
	data, err := os.ReadFile(names[0])
	if err != nil || !strings.HasSuffix(names[0], ".eml") {
		t.Fatal(names[0], err)
	}
	m, err := mailtest.Parse(data)
	if err != nil || m.Subject != "Hello" || m.Header("X-Envelope-To") != "<ann@example.com>, <hidden@example.com>" {
		t.Errorf("%+v, %v", m, err)
	}
	blocked := mail.File(names[0]).Transport
	_, failure, begun := send(t, blocked, envelope())
	check(t, "a file for a folder", failure, outcome{mail.PhaseConnect, mail.Hold, 0})
	if begun != 0 {
		t.Error("begin was called")
	}
}

func TestLog(t *testing.T) {
	var out bytes.Buffer
	e := envelope()
	e.Message = &mail.Outgoing{Mailbox: "email_queue", ID: 7, Subject: "Hello", Plain: "Hello " + strings.Repeat("ü", 3000)}
	if _, err, begun := send(t, mail.Log(slog.New(slog.NewTextHandler(&out, nil))).Transport, e); err != nil || begun != 1 {
		t.Fatal(err)
	}
	for _, want := range []string{"to=ann@example.com", "subject=Hello", "mailbox=email_queue", "id=7"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in %q", want, out.String()[:200])
		}
	}
}
