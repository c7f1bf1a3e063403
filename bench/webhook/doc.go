// Package webhook measures what webhooks cost a write, how many are delivered in a second
// beside a loop of a bare http.Client that writes as many rows, how soon they arrive, and
// what an endpoint that hangs costs the others.
package webhook
