package post_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/hegner123/modulagen/runtime/mail"
	"github.com/hegner123/modulagen/runtime/mail/internal/post/generated"
	"github.com/hegner123/modulagen/runtime/mail/mailtest"
	"github.com/hegner123/modulagen/runtime/queue"
)

// plan answers steps of an SMTP dialogue: the first time with the first of its errors, and so on,
// and then with nil.
type plan struct {
	mu    sync.Mutex
	steps map[string][]error // by the step, and the address behind a space
}

func (p *plan) answer(s mailtest.Step) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, key := range []string{string(s.Name) + " " + s.Address, string(s.Name)} {
		if left := p.steps[key]; len(left) > 0 {
			p.steps[key] = left[1:]
			return left[0]
		}
	}
	return nil
}

// TestOutcomes: what becomes of a message goes by the step at which it failed and by the
// server's code.
func TestOutcomes(t *testing.T) {
	busy, gone, no := mailtest.Refuse(451, "4.7.1", "greylisted"), mailtest.Refuse(550, "5.1.1", "no such user"), mailtest.Refuse(550, "5.7.1", "refused")
	const ann, bob = "ann@ex.example", "bob@ex.example"
	tests := map[string]struct {
		plan       map[string][]error
		to         []string
		want       generated.EmailQueueStatus
		attempts   int64
		error      string   // part of the row's
		arrived    []string // recipients, of all messages
		suppressed string   // addresses
	}{
		"greylisted":                {plan: map[string][]error{"recipient": {busy}}, want: "sent", attempts: 2, arrived: []string{ann}},
		"no such user":              {plan: map[string][]error{"recipient": {gone}}, want: "failed", attempts: 1, error: "550 5.1.1 no such user", suppressed: ann},
		"recipient refused":         {plan: map[string][]error{"recipient": {no}}, want: "failed", attempts: 1, error: "5.7.1"},
		"sender refused":            {plan: map[string][]error{"sender": {no}}, want: "failed", attempts: 1, error: "sender"},
		"message refused":           {plan: map[string][]error{"data": {no}}, want: "failed", attempts: 1, error: "5.7.1"},
		"message refused for now":   {plan: map[string][]error{"data": {busy}}, want: "sent", attempts: 2, arrived: []string{ann}},
		"dropped before the dot":    {plan: map[string][]error{"recipient": {mailtest.Drop}}, want: "sent", attempts: 2, arrived: []string{ann}},
		"421 in the middle":         {plan: map[string][]error{"recipient": {mailtest.Refuse(421, "4.3.2", "shutting down")}}, want: "sent", attempts: 2, arrived: []string{ann}},
		"no answer to the dot":      {plan: map[string][]error{"stored": {mailtest.Drop}}, want: "unknown", attempts: 1, error: "final", arrived: []string{ann}},
		"one of two refused":        {to: []string{ann, bob}, plan: map[string][]error{"recipient " + bob: {no}}, want: "sent", attempts: 1, arrived: []string{ann}},
		"one of two does not exist": {to: []string{ann, bob}, plan: map[string][]error{"recipient " + ann: {gone}}, want: "sent", attempts: 1, arrived: []string{bob}, suppressed: ann},
		"one of two for now":        {to: []string{ann, bob}, plan: map[string][]error{"recipient " + bob: {mailtest.Refuse(452, "4.2.2", "full")}}, want: "sent", attempts: 2, arrived: []string{ann, bob}},
		"both refused":              {to: []string{ann, bob}, plan: map[string][]error{"recipient": {no, no}}, want: "failed", attempts: 1, error: "2 of 2 recipients"},
		"one for now, and never":    {to: []string{ann, bob}, plan: map[string][]error{"recipient " + bob: {busy, no}}, want: "sent", attempts: 2, arrived: []string{ann}},
	}
	onEach(t, func(t *testing.T, f *fixture) {
		for name, tt := range tests {
			if _, err := f.db.EmailSuppressions.DeleteWhere(t.Context(), generated.EmailSuppressionFields.ID.Gt(0)); err != nil {
				t.Fatal(err)
			}
			p := &plan{steps: map[string][]error{}}
			for step, answers := range tt.plan {
				p.steps[step] = append([]error(nil), answers...)
			}
			srv := mailtest.NewServer(t, mailtest.Options{Answer: p.answer})
			if tt.to == nil {
				tt.to = to(ann)
			}
			id := f.send(mail.Message{To: tt.to})
			stop := f.work(smtp(t, srv))
			row := f.ended(id)
			stop()
			if row.Status != tt.want || row.Attempts != tt.attempts || !strings.Contains(row.Error.V, tt.error) {
				t.Errorf("%s: %s after %d attempts: %q; want %s after %d: %q", name, row.Status, row.Attempts, row.Error.V, tt.want, tt.attempts, tt.error)
			}
			var arrived []string
			for _, m := range srv.Messages() {
				arrived = append(arrived, m.To...)
			}
			if strings.Join(arrived, " ") != strings.Join(tt.arrived, " ") {
				t.Errorf("%s: arrived for %v, want %v", name, arrived, tt.arrived)
			}
			if got := f.suppressed(); got != tt.suppressed {
				t.Errorf("%s: %q is suppressed, want %q", name, got, tt.suppressed)
			}
			if tt.want == "sent" && len(tt.arrived) < len(tt.to) != strings.Contains(string(row.Recipients.V), "refused") {
				t.Errorf("%s: the recipients are %s", name, row.Recipients.V)
			}
		}
	})
}

// suppressed returns the suppressed addresses.
func (f *fixture) suppressed() string {
	f.Helper()
	var out []string
	for row, err := range f.db.EmailSuppressions.All(f.Context(), generated.EmailSuppressionQuery{}) {
		if err != nil {
			f.Fatal(err)
		}
		out = append(out, row.Address)
	}
	return strings.Join(out, " ")
}

// TestUnknownIsSentAgainOnlyWhenAsked: a message that may have been sent waits for a person; where the
// section says resend, it does not.
func TestUnknownIsSentAgainOnlyWhenAsked(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		p := &plan{steps: map[string][]error{"stored": {mailtest.Drop, nil, mailtest.Drop}}}
		srv := mailtest.NewServer(t, mailtest.Options{Answer: p.answer})
		f.work(smtp(t, srv))
		id := f.send(mail.Message{To: to("ann@ex.example")})
		f.is(f.ended(id), generated.EmailQueueStatusUnknown)
		if err := f.db.EmailQueue.Retry(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		f.is(f.ended(id), generated.EmailQueueStatusSent)
		got := srv.Wait(t, 2)
		if got[0].Header("Message-Id") != got[1].Header("Message-Id") || string(got[0].Raw) != string(got[1].Raw) {
			t.Errorf("sent again, the message is another one:\n%s\n%s", got[0].Raw, got[1].Raw)
		}
		again := must(f.db.Newsletter.Send(t.Context(), mail.Message{From: "news@shop.example", To: to("bob@ex.example"), Subject: "s", Plain: "p"}))
		if row := must(f.db.Newsletter.Await(t.Context(), again)); row.State != generated.NewsletterStatePosted || row.Attempts != 2 {
			t.Errorf("%s after %d attempts: %s", row.State, row.Attempts, row.Error.V)
		}
	})
}

// TestServerAtFault: while the server refuses every message, no message's attempts are used,
// and the row says why it waits.
func TestServerAtFault(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		srv := mailtest.NewServer(t, mailtest.Options{Users: map[string]string{"shop": "right"}})
		o := smtp(t, srv)
		o.SMTP.Servers[0].Username, o.SMTP.Servers[0].Password = "shop", mail.NewSecret("wrong")
		events := f.db.EmailQueue.Events(t.Context())
		id := f.send(mail.Message{To: to("ann@ex.example")})
		stop := f.work(o)
		for ev := range events {
			if ev.Type != queue.Started {
				break
			}
		}
		stop()
		row := must(f.db.EmailQueue.Get(t.Context(), id))
		if row.Status != generated.EmailQueueStatusPending || row.Attempts != 0 || !strings.Contains(row.Error.V, "auth") || strings.Contains(row.Error.V, "wrong") {
			t.Fatalf("%s after %d attempts: %q", row.Status, row.Attempts, row.Error.V)
		}
		o.SMTP.Servers[0].Password = mail.NewSecret("right")
		if err := f.db.EmailQueue.Retry(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		f.work(o)
		f.is(f.ended(id), generated.EmailQueueStatusSent)
	})
}

// TestSuppressed: a suppressed address is not sent to, also where it was suppressed after the
// message was added, and only of its stream.
func TestSuppressed(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		ctx := t.Context()
		news := f.send(mail.Message{To: []string{"Ann@EX.example", "bob@ex.example"}, Stream: "news"})
		only := f.send(mail.Message{To: to("ann@ex.example"), Stream: "news"})
		order := f.send(mail.Message{To: to("ann@ex.example")})
		none := f.send(mail.Message{To: to("eve@ex.example")})
		for _, s := range []mail.Suppression{
			{Address: "ann@ex.example", Stream: "news", Reason: mail.Unsubscribed},
			{Address: "ann@ex.example", Stream: "news", Reason: mail.Complaint}, // the first stays
			{Address: "Eve <EVE@EX.example>", Reason: mail.Manual},
		} {
			if err := f.db.EmailQueue.Suppress(ctx, s); err != nil {
				t.Fatal(err)
			}
		}
		srv := mailtest.NewServer(t, mailtest.Options{})
		f.work(smtp(t, srv))
		f.is(f.ended(order), generated.EmailQueueStatusSent)
		for id, why := range map[generated.EmailQueueID]string{only: "ann@ex.example: suppressed, unsubscribed from news", none: "eve@ex.example: suppressed, manual"} {
			row := f.ended(id)
			f.is(row, generated.EmailQueueStatusFailed)
			if !strings.Contains(row.Error.V, why) {
				t.Errorf("the row's error is %q, want %q", row.Error.V, why)
			}
		}
		row := f.ended(news)
		f.is(row, generated.EmailQueueStatusSent)
		var rs []struct{ Address, State string }
		if err := json.Unmarshal(row.Recipients.V, &rs); err != nil || len(rs) != 2 || rs[0].State != "suppressed" || rs[1].State != "sent" {
			t.Errorf("the recipients are %s (%v)", row.Recipients.V, err)
		}
		for _, m := range srv.Wait(t, 2) {
			if m.To[0] != "bob@ex.example" && m.Subject != "Your order" {
				t.Errorf("sent to %v", m.To)
			}
		}
	})
}

// TestHooks: Before may change and stop a message, and After has the outcome.
func TestHooks(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		srv := mailtest.NewServer(t, mailtest.Options{})
		o := smtp(t, srv)
		var accepted atomic.Int64
		o.Before = func(_ context.Context, m *mail.Outgoing) error {
			m.Subject = "[test] " + m.Subject
			if m.Tags != nil {
				return queue.Cancel(errors.New("not today"))
			}
			return nil
		}
		o.After = func(_ context.Context, m *mail.Outgoing, out mail.Outcome) {
			if out.Err == nil && out.Receipt.Response != "" && m.Mailbox == "email_queue" {
				accepted.Add(1)
			}
		}
		id, stopped := f.send(mail.Message{To: to("ann@ex.example")}), f.send(mail.Message{To: to("ann@ex.example"), Tags: []string{"x"}})
		f.work(o)
		f.is(f.ended(id), generated.EmailQueueStatusSent)
		f.is(f.ended(stopped), generated.EmailQueueStatusCancelled)
		if m := srv.Wait(t, 1)[0]; m.Subject != "[test] Your order" || accepted.Load() != 1 {
			t.Errorf("%q was sent, After called %d times", m.Subject, accepted.Load())
		}
	})
}

// TestMany: messages behind few connections are each sent once, and what a stop left is sent by
// the next worker.
func TestMany(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		const n = 300
		ms := make([]mail.Message, n)
		for i := range ms {
			ms[i] = mail.Message{From: "shop@shop.example", To: to("ann@ex.example"), Subject: "s", Plain: "p"}
		}
		must(f.db.EmailQueue.SendMany(t.Context(), ms))
		half := make(chan struct{})
		var arrived atomic.Int64
		srv := mailtest.NewServer(t, mailtest.Options{Answer: func(s mailtest.Step) error {
			if s.Name == mailtest.Stored && arrived.Add(1) == n/2 {
				close(half)
			}
			return nil
		}})
		stop := f.work(smtp(t, srv))
		<-half
		stop()
		if left := must(f.db.EmailQueue.Count(t.Context(), generated.EmailQueueFields.Status.In("sending", "unknown", "failed"), 100)); left > 0 {
			t.Errorf("the stop left %d messages neither sent nor pending", left)
		}
		f.work(smtp(t, srv))
		ids := map[string]int{}
		for _, m := range srv.Wait(t, n) {
			ids[m.Header("Message-Id")]++
		}
		for id, times := range ids {
			if times > 1 {
				t.Errorf("%s was sent %d times", id, times)
			}
		}
		if len(ids) != n {
			t.Errorf("%d messages arrived, want %d", len(ids), n)
		}
	})
}
