// Package mailtest has an SMTP server for tests of programs that send mail. It keeps what
// arrives, parsed, and can refuse, delay and break off at each step.
//
//	srv := mailtest.NewServer(t, mailtest.Options{})
//	go db.Run(ctx, generated.Workers{Mail: srv.SMTP()})
//
//	signUp(ctx, db, "ann@example.com")
//	m := srv.Wait(t, 1)[0]
//	if m.Subject != "Welcome" || m.To[0] != "ann@example.com" { ... }
//
// Options.Answer decides what the server answers:
//
//	mailtest.Options{Answer: func(s mailtest.Step) error {
//		switch {
//		case s.Name == mailtest.Recipient && s.Address == "gone@example.com":
//			return mailtest.Refuse(550, "5.1.1", "no such user")
//		case s.Name == mailtest.Stored:
//			return mailtest.Drop // it has the message, and the client gets no answer
//		}
//		return nil
//	}}
//
// The function may wait, for example for a channel: the client waits with it. The server parses
// with another library than package mail composes with.
package mailtest
