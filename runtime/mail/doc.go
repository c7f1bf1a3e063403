// Package mail is what programs name to send mail: messages, addresses, templates, the
// transports that send them, and what comes back: bounces and unsubscriptions.
//
// A datatype with a `mail:` section is a mailbox. Send adds a message to it, in the caller's
// transaction where there is one, and db.Run sends what is due:
//
//	db.EmailQueue.Send(ctx, mail.Message{From: "Shop <shop@example.com>", To: []string{"ann@example.com"}, Subject: "Welcome", HTML: page})
//	db.Run(ctx, generated.Workers{Mail: mail.SMTP{Servers: []mail.Server{{Host: "smtp.example.com", Username: "shop", Password: secret}}}})
//
// A message is pending, sending, sent, failed, unknown or cancelled, by Cancel before DATA begins:
//
//	pending --claim--> sending --accepted by the server--> sent
//	   ^                 |  |  \--5xx, no attempts left--> failed
//	   |--4xx, lost -----|  \--worker lost after DATA began--> unknown
//
// SMTP cannot promise that a message is sent exactly once: the server may have accepted a
// message whose sender died before it read the answer. Such a message is unknown. It is sent
// again only if the section says `unknown: resend`, or a person calls Retry.
package mail
