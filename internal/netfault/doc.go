// Package netfault is a TCP proxy for tests that stands between a client and a
// server and breaks the network on demand. The queue's, the stores' and the
// chaos run's tests share it.
//
//	p := netfault.Start(t, "127.0.0.1:5432") // or DSN(t, dsn), which rewrites a DSN
//	p.Swallow()  // every byte disappears: no answer, no reset, new connections included
//	p.Strand()   // only the connections that exist now are dead; new ones work
//	p.Hold()     // bytes wait and arrive after Heal, as after a short partition
//	p.Delay(d)   // each chunk arrives d later
//	p.Reset()    // open connections are reset
//	p.Shut()     // open connections see the server's end closed; the server sees nothing
//	p.Refuse()   // new connections are closed at once
//	p.Heal()     // the network works again; what was swallowed stays lost
//
// A connection from which bytes were swallowed is dead for good: a stream with a
// gap is no stream. It stays open, silent, until the client closes it or the
// test ends. On those that Hold kept the bytes arrive in order.
//
// OnSend runs a function when a client sends certain bytes, before they are
// forwarded. Cut makes the connection itself dead in the middle of a statement,
// such as a COMMIT: before the server has it, or before the client has the
// answer. Expire lets the server learn of dead connections.
//
// The proxy's kernel acknowledges what it reads, so TCP_USER_TIMEOUT and
// keep-alives of the client see a healthy peer. What is tested here is what a
// program does by its own clock.
package netfault
