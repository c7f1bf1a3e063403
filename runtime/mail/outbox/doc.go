// Package outbox is what generated code calls for mailboxes: it adds messages to their tables,
// and has the queue's engine send what is due.
//
//	spec.go        what generated code says about a mailbox
//	message.go     messages as rows, and rows as messages
//	send.go        adding messages
//	check.go       refusing rows that could not be sent
//	suppress.go    addresses that get no mail
//	worker.go      one attempt
//	transmit.go    composing a message and handing it to the transport, and the hooks
//	beginning.go   what a transport may have done, where it does not keep its contract
//	hold.go        waiting while a server is at fault
//	line.go        what waits for a connection, and what begins together
//	recipients.go  what became of each recipient
//	outcome.go     what becomes of a message
//
// An attempt takes these steps. A worker that is lost before 4 leaves the message to another; one
// that is lost later leaves it unknown.
//
//  1. the queue claims the row, and the hook Before is called
//  2. the message waits for a connection
//  3. its recipients are looked up in the suppressions
//  4. the transport has come to the step after which the message may be delivered: the recipients
//     are looked up again if that was more than a second ago, and the row is marked
//     (queue.BeginOnce)
//  5. the server has accepted it, or not: the row is settled
//
// Steps 3 and 4 are statements of the database. What waits in line then is looked up and marked
// with the message in front, or while others are sent, so that a busy worker makes few of them: a
// lost one leaves up to ahead and low messages unknown that it had not begun to send.
package outbox
