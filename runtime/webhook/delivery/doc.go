// Package delivery is what generated code calls for webhooks: it finds the requests that
// an event makes, writes them to the queue with the change, and delivers them.
//
//	spec.go      what generated code says about the tables
//	registry.go  which webhooks there are, as far as this process knows
//	request.go   a request, checked: its URL, headers, keys and template
//	check.go     refuses requests and links that could not be delivered, when they are written
//	fire.go      the effect on datatypes with events
//	freeze.go    what is to be sent, made in the transaction of the change
//	envelope.go  the body of a request without a template
//	types.go     names of events
//	worker.go    the handler of the queue
//	outgoing.go  what is sent: the request as it is by now, and what was frozen
//	order.go     deliveries of one row, one after the other
//	outcome.go   what becomes of a delivery after an attempt
//	health.go    switches off requests that only fail
//	log.go       a row for each attempt, several at a time
//	keys.go      signing keys, and their rotation
//	deliver.go   deliveries that no row caused
//	again.go     redelivery and tests
//
// What programs name is in package webhook.
package delivery
