package post_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/mail"
	"github.com/hegner123/modulagen/runtime/mail/internal/post/generated"
	"github.com/hegner123/modulagen/runtime/mail/mailtest"
	"github.com/hegner123/modulagen/runtime/store"
)

// TestSendInATransaction: a message is added with the row that it is about, or not at all, and
// arrives as it was written.
func TestSendInATransaction(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		srv := mailtest.NewServer(t, mailtest.Options{})
		welcome := func(name string, fail error) error {
			return f.db.Tx(t.Context(), func(tx *generated.Tx) error {
				c, err := tx.Customer.Create(t.Context(), generated.CustomerNew{Name: name, Email: strings.ToLower(name) + "@ex.example"})
				if err != nil {
					return err
				}
				_, err = tx.EmailQueue.Send(t.Context(), mail.Message{
					From: "Blumen Müller <shop@shop.example>", To: to(c.Name + " <" + c.Email + ">"), Bcc: to("archive@shop.example"),
					Subject: "Willkommen, " + c.Name + ": Grüße", HTML: "<h1>Hello</h1><p>Good &amp; well</p>",
					Headers: map[string]string{"X-Campaign": "welcome"}, Tags: []string{"welcome"},
					Attachments: []mail.Attachment{{Name: "Größe.txt", Data: []byte("forty two\n")}},
				})
				return errors.Join(err, fail)
			})
		}
		if err := welcome("Bob", errors.New("no")); err == nil {
			t.Fatal("the transaction was committed")
		}
		if err := welcome("Ann", nil); err != nil {
			t.Fatal(err)
		}
		f.work(smtp(t, srv))
		m := srv.Wait(t, 1)[0]
		row := must(f.db.EmailQueue.First(t.Context(), generated.EmailQueueQuery{}))
		row = f.ended(row.ID)
		f.is(row, generated.EmailQueueStatusSent)
		if !row.SentAt.Valid || row.Attempts != 1 {
			t.Errorf("sent at %v, after %d attempts", row.SentAt, row.Attempts)
		}
		for what, is := range map[string]bool{
			"subject":    m.Subject == "Willkommen, Ann: Grüße",
			"from":       m.Addresses("From")[0] == mailtest.Address{Name: "Blumen Müller", Email: "shop@shop.example"},
			"to":         m.Addresses("To")[0] == mailtest.Address{Name: "Ann", Email: "ann@ex.example"},
			"envelope":   strings.Join(m.To, " ") == "ann@ex.example archive@shop.example",
			"bcc":        m.Header("Bcc") == "" && !strings.Contains(string(m.Raw), "archive@"),
			"html":       strings.TrimSpace(m.HTML) == "<h1>Hello</h1><p>Good &amp; well</p>",
			"text":       strings.Contains(m.Text, "Good & well"),
			"header":     m.Header("X-Campaign") == "welcome",
			"attachment": len(m.Attachments) == 1 && m.Attachments[0].Name == "Größe.txt" && string(m.Attachments[0].Data) == "forty two\n",
			"message id": m.Header("Message-Id") == "<"+row.MessageID.V+">",
			"date":       m.Date.Equal(row.Date.V),
			"tls":        m.TLS,
		} {
			if !is {
				t.Errorf("%s is not what was sent:\n%s", what, m.Raw)
			}
		}
		if n := must(f.db.EmailQueue.Count(t.Context(), generated.EmailQueueFilter{}, 100)); n != 1 {
			t.Errorf("%d messages, want 1: the other was rolled back", n)
		}
	})
}

// TestIdempotencyKey: of messages with one key, one is added and sent.
func TestIdempotencyKey(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		m := mail.Message{From: "shop@shop.example", To: to("ann@ex.example"), Subject: "Receipt", Plain: "42", IdempotencyKey: "order-42"}
		other := m
		other.IdempotencyKey = "order-43"
		first := must(f.db.EmailQueue.SendMany(t.Context(), []mail.Message{m, other, m}))
		if first[0] != first[2] || first[0] == first[1] {
			t.Fatalf("ids %v", first)
		}
		again := make(chan generated.EmailQueueID)
		for range 8 {
			go func() { again <- must(f.db.EmailQueue.Send(t.Context(), m)) }()
		}
		for range 8 {
			if id := <-again; id != first[0] {
				t.Errorf("id %d, want %d", id, first[0])
			}
		}
		third := m
		third.IdempotencyKey = "order-44"
		for range 8 {
			go func() { again <- must(f.db.EmailQueue.Send(t.Context(), third)) }()
		}
		id := <-again
		for range 7 {
			if other := <-again; other != id {
				t.Errorf("ids %d and %d of one key", id, other)
			}
		}
		if n := must(f.db.EmailQueue.Count(t.Context(), generated.EmailQueueFilter{}, 100)); n != 3 {
			t.Errorf("%d messages, want 3", n)
		}
	})
}

// TestRefusedWhenQueued: what could not be sent is refused by Send and by Create, and fails
// alone where SQL has written it.
func TestRefusedWhenQueued(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		ctx := t.Context()
		_, err := f.db.EmailQueue.Send(ctx, mail.Message{
			From: "shop@shop.example", To: []string{"ann@ex.example", "x\r\nBcc: all@ex.example"}, Subject: "a\r\nX: b", Plain: "p",
			Headers: map[string]string{"Subject": "twice"},
		})
		for _, want := range []string{"To[1]", "Subject", `Headers["Subject"]`} {
			if !errors.Is(err, mail.ErrInvalid) || !strings.Contains(err.Error(), want) {
				t.Errorf("the error %v is not about %s", err, want)
			}
		}
		_, err = f.db.Newsletter.Send(ctx, mail.Message{From: "a@shop.example", To: to("b@ex.example"), Subject: "s", HTML: "<p>x", Cc: to("c@ex.example")})
		if err == nil || !strings.Contains(err.Error(), "newsletter has no field cc for it") || !strings.Contains(err.Error(), "body_html") {
			t.Errorf("the error of a message that the mailbox has no fields for: %v", err)
		}
		_, err = f.db.EmailQueue.Send(ctx, mail.Message{
			From: "a@shop.example", To: to("b@ex.example"), Plain: "p", Attachments: []mail.Attachment{{Name: "large.bin", Data: make([]byte, 13<<20)}},
		})
		if !errors.Is(err, mail.ErrInvalid) || !strings.Contains(err.Error(), "name large files by Ref") {
			t.Errorf("the error of a file that no column holds: %v", err)
		}
		_, err = f.db.EmailQueue.Create(ctx, generated.EmailQueueNew{From: "nobody", To: "ann@ex.example", BodyPlain: store.Set("x")})
		if v, ok := errors.AsType[*store.ValidationError](err); !ok || v.Violations[0].Field != "from" {
			t.Errorf("Create of a bad address: %v", err)
		}
		id := f.send(mail.Message{To: to("ann@ex.example")})
		if _, err := f.db.EmailQueue.Update(ctx, id, generated.EmailQueuePatch{To: store.Set("not an address")}); err != nil {
			t.Fatal(err)
		}
		good := f.send(mail.Message{To: to("bob@ex.example")})
		srv := mailtest.NewServer(t, mailtest.Options{})
		f.work(smtp(t, srv))
		row := f.ended(id)
		f.is(row, generated.EmailQueueStatusFailed)
		if !strings.Contains(row.Error.V, "To") {
			t.Errorf("the row's error is %q", row.Error.V)
		}
		f.is(f.ended(good), generated.EmailQueueStatusSent)
	})
}

// TestLaterAndCancelled: a message is sent when it is due, and not when it was cancelled before.
func TestLaterAndCancelled(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		soon := time.Now().Add(time.Second)
		later := f.send(mail.Message{To: to("ann@ex.example"), SendAt: soon})
		never := f.send(mail.Message{To: to("ann@ex.example"), SendAt: soon})
		if err := f.db.EmailQueue.Cancel(t.Context(), never); err != nil {
			t.Fatal(err)
		}
		srv := mailtest.NewServer(t, mailtest.Options{})
		f.work(smtp(t, srv))
		row := f.ended(later)
		f.is(row, generated.EmailQueueStatusSent)
		if row.SentAt.V.Before(soon) {
			t.Errorf("sent at %v, due at %v", row.SentAt.V, soon)
		}
		f.is(f.ended(never), generated.EmailQueueStatusCancelled)
		if n := len(srv.Messages()); n != 1 {
			t.Errorf("%d messages arrived, want 1", n)
		}
	})
}

// TestOwnMailbox: a datatype of the project's own is a mailbox like the built-in one.
func TestOwnMailbox(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		later := must(f.db.Newsletter.Send(t.Context(), mail.Message{From: "news@shop.example", To: to("eve@ex.example"), Subject: "Later", Plain: "x", SendAt: time.Now().Add(time.Hour)}))
		news, rest := mailtest.NewServer(t, mailtest.Options{}), mailtest.NewServer(t, mailtest.Options{})
		id := must(f.db.Newsletter.Send(t.Context(), mail.Message{From: "news@shop.example", To: to("ann@ex.example"), Subject: "News", Plain: "none"}))
		row := must(f.db.Newsletter.Create(t.Context(), generated.NewsletterNew{Recipient: "bob@ex.example", Title: "More", Text: store.Set("some")}))
		f.send(mail.Message{To: to("eve@ex.example")})
		f.work(mail.Mailboxes{"newsletter": smtp(t, news), "email_queue": smtp(t, rest)})
		for _, id := range []generated.NewsletterID{id, row.ID} {
			if row := must(f.db.Newsletter.Await(t.Context(), id)); row.State != generated.NewsletterStatePosted {
				t.Errorf("the message is %s: %s", row.State, row.Error.V)
			}
		}
		if row := must(f.db.Newsletter.Get(t.Context(), later)); row.State != generated.NewsletterStateWaiting {
			t.Errorf("a message that is due in an hour is %s", row.State)
		}
		got := news.Wait(t, 2)
		o := mail.Mailboxes{"news": smtp(t, news)}
		if err := f.db.Run(t.Context(), generated.Workers{Mail: o}); err == nil || !strings.Contains(err.Error(), `"news", which is no mailbox; there are email_queue, newsletter`) {
			t.Errorf("the error of a name that is no mailbox's: %v", err)
		}
		if got[0].Header("Message-Id") == got[1].Header("Message-Id") || got[1].From != "news@shop.example" {
			t.Errorf("arrived:\n%s\n%s", got[0].Raw, got[1].Raw)
		}
		rest.Wait(t, 1)
	})
}
