// Package egress is the HTTP client for URLs that somebody else wrote: endpoints
// of webhooks, the button that tests one, jobs that call a URL. It refuses to be
// led into the network that the program runs in.
//
//	client, err := egress.New(egress.Options{})
//	...
//	res, err := client.Do(ctx, egress.Request{
//		Method: "POST",
//		URL:    "https://hooks.example.com/orders",
//		Header: http.Header{"Content-Type": {"application/json"}},
//		Body:   body,
//	})
//	switch {
//	case errors.Is(err, egress.ErrRefused): // final: the address is not a public one
//	case egress.Retryable(err): // the endpoint may answer another time
//	}
//
// All requests of a program should go through one Client: it keeps connections,
// and a second client that is guarded less is the way around the first.
//
// # What is refused
//
// A URL is judged twice. [CheckURL] says when it is saved what can be said without
// DNS: its form, its scheme, its port, an address that stands in it, a name such as
// localhost. What decides is the second time: each address is judged when it is
// about to be connected to, after its name was resolved. A name that resolves to
// another address the next time (DNS rebinding) gains nothing, because nothing is
// resolved again between the judgement and the connection.
//
// An address is refused unless it is a public unicast one. Loopback, private and
// link-local networks, the metadata services of clouds, documentation, benchmarking,
// multicast and what is reserved are refused, as the special-purpose registries of
// IANA list them; of IPv6, all but 2000::/3 is. An IPv4 address within an
// IPv6 address is decoded and judged where a host would follow it: IPv4-mapped
// addresses (::ffff:0:0/96), and the well-known prefix of NAT64 (64:ff9b::/96),
// which is how networks that have only IPv6 reach all public IPv4 addresses.
// The other transition mechanisms are refused whatever they embed, because no
// public endpoint needs them: IPv4-compatible, IPv4-translated, 6to4, Teredo, ISATAP
// and the local prefix of NAT64 (64:ff9b:1::/48).
//
// The connection must be https, or http where Options permit it, on port 80 or 443,
// or those of Options.Ports.
//
// When a name has several addresses, those that are refused are left out. The
// request is refused when all of them are.
//
// # What is permitted
//
// Options.Allow lists what the guard would refuse and is meant:
//
//	"10.1.2.3"              an address, any port, http or https
//	"10.1.2.3:8080"         that port alone
//	"10.0.0.0/8"            a network; "10.0.0.0/8:8080", "[fd00::/8]:443" one port of it
//	"[fd00::1]:443"         an IPv6 address with a port
//	"hooks.internal:8443"   a host name, wherever it leads
//	"*.svc.internal"        any name below svc.internal, but not svc.internal itself
//
// An entry adds to what is permitted; nothing is forbidden by it. An entry with a name
// trusts the operator of that name in DNS, who can point it at any address of the
// private network, and at another one each time. Where that matters, list addresses
// instead. Link-local addresses, metadata services and the
// transition mechanisms are never reached by the entry of a name; only an entry that
// covers the address permits them.
//
// # What is bounded
//
// A redirect is not followed: it is the response. No proxy is taken from the
// environment, no cookie is kept, no compressed body is inflated, certificates are
// verified. The time of a request is bounded, as a whole and for its steps, and so are
// the bytes of its body, of the response's header and of the response's body. A longer
// body is cut, and its connection closed. Every bound has a default in [Options].
//
// Errors name the method, the scheme and the host of a request. They have nothing of
// the path and the query, where many endpoints keep a secret, and no values of headers.
//
// # What it does not know
//
// Public addresses that are the program's own, such as those of a service that trusts
// the network it is called from, look like any other. So do addresses of a NAT64 gateway
// with a prefix of its own (RFC 6052). With Options.Proxy, names are resolved by the
// proxy, which has to judge them; the guard sees the proxy's address, and addresses that
// stand in the URL.
package egress
