// Package event measures what events cost a write, and how soon a subscription gets them:
// a datatype without events, one with events that nobody reads, and one with a
// subscription, all of the same fields, in one database and one run.
package event
