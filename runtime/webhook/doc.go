// Package webhook signs messages that one program sends another over HTTP, and
// verifies them, as Standard Webhooks specifies
// (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md).
//
// The sender signs each attempt to deliver a message:
//
//	secret, err := webhook.ParseSecret(stored) // made by GenerateSecret, stored by Reveal
//	...
//	header, err := webhook.Sign("msg_4711", time.Now(), body, secret)
//
// The receiver puts a [Receiver] in front of its handler:
//
//	receiver, err := webhook.NewReceiver(handler, webhook.ReceiverOptions{Keys: []webhook.Verifier{secret}})
//	...
//	mux.Handle("POST /webhooks", receiver)
//
// or calls [Verify] with the header and the body of a request.
//
// # What is promised
//
// A message is delivered at least once, if the receiver answers before the sender stops
// trying. An attempt whose answer was lost is repeated, so a receiver sees a message twice
// now and then, and messages may arrive in another order than they were sent. The ID of a message is the same in all attempts; the timestamp, and with
// it the signature, is that of the attempt.
//
// A message that is verified was signed by a holder of a key, with this ID, this timestamp
// and exactly these bytes as its body. Method, URL and other headers are not signed: a copy
// of a request is verified by every endpoint with the same key. Give each endpoint
// a key of its own. What a body holds can be read by anyone on the way unless the connection
// is https.
//
// # What the receiver must do
//
//   - Verify the bytes that arrived, before anything decodes them. A Receiver stands
//     in front of handlers that decompress or parse.
//   - Answer 2xx once the message is handled or stored, and something else when it is not:
//     the sender tries again until it gets a 2xx. Answer within the time that the
//     sender waits, 15 to 30 seconds with most; what takes longer belongs into a queue.
//   - Handle a message once, by its ID. A Receiver does this by a [ReplayChecker], as
//     long as that remembers: [MemoryReplays] forgets when the process ends, and when more
//     arrives than it has room for. One gap is left to every ReplayChecker: a process that
//     dies after the handler's work and before its end is recorded gets the message again.
//     Where that matters, the handler writes the ID in the transaction of its work.
//   - Keep its clock right. A timestamp is accepted within 5 minutes of it, before and after.
//   - Set ReadTimeout of its http.Server: how long a body takes is not bounded here.
//
// # What a Receiver answers
//
//	what the handler does   the message is verified, and new; remembered when this is 2xx
//	200                     the message was handled before, see ReceiverOptions.Duplicate
//	400 Bad Request         a header is missing or malformed, or the body ended early
//	401 Unauthorized        the timestamp is outside the tolerance, no signature matches, or
//	                        the sender is not known
//	405, 413, 415           another method than POST, a body over MaxBody, a Content-Encoding
//	503                     the message is being handled by another request, or the
//	                        ReplayChecker, ReceiverOptions.Source or a key of it failed
//
// Of two requests with the same message at the same time, one is handled. The other is
// answered 503 with Retry-After at once, neither as a duplicate, because the first may
// still fail, nor after it, because waiting would hold a connection as long as the handler
// takes. A message whose handler answered something else than 2xx, or panicked, is
// forgotten, so that the next attempt is handled.
//
// The body of an answer is the text of its status. What was wrong is logged to
// ReceiverOptions.Logger.
//
// # Keys
//
// A [Secret] is shared by both ends, "whsec_" and base64 of 24 to 64 bytes. A [SigningKey]
// ("whsk_") stays with the sender, and its [PublicKey] ("whpk_") goes to receivers,
// who cannot sign with it. Secrets and signing keys are "***" wherever they are printed,
// logged or encoded; Reveal alone returns them.
//
// To replace a key without losing a message, sign with both for a while: Sign writes a
// signature for each key, and Verify takes one that matches. Or give the receiver both first,
// and then let the sender change.
package webhook
