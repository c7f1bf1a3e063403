// Package measure is the harness of the benchmarks: two sides that do the same
// work, timed in turns in one process, and a report as a table or as JSON lines.
//
// Alternating is the point: a machine that slows down for a minute slows both
// sides. A figure is a median, never a best case.
//
//	ours, peer, err := measure.Alternate(5, timeOurs, timePeer)
//	report.Add(measure.Compare("store", "get by id", "sqlite", "µs", "ent", ours, peer, measure.Target(1)))
package measure
