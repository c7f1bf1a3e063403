// Package event is about what happened to rows: the events of datatypes that have
//
//	events: [create, update, delete]
//
// (and publish, the event of a write that makes a row published, where the datatype has a
// section that says when one is).
//
// Each write of such a datatype, of one row or of many, writes its events in its own
// transaction, for those who read them: what is undone has no events, and none is lost
// after a commit. Nobody has to read them: while there is no subscription to a
// datatype, a write costs what it costs without events.
//
//	err := db.Subscribe(ctx, "search-index", generated.EventHandlers{
//		Article: func(ctx context.Context, c *generated.ArticleChange) error {
//			if c.Op == event.Delete {
//				return index.Remove(ctx, c.Row)
//			}
//			return index.Put(ctx, c.After)
//		},
//	}, event.Options{})
//
// Programs write events of their own beside those, which a definition declares with the fields
// of their payloads. With emits: {paid: {fields: [...]}} of a datatype purchase,
//
//	err := tx.Purchase.EmitPaid(ctx, id, generated.PurchasePaid{Amount: amount})
//
// is an event of the transaction tx, which the handler PurchasePaid gets.
//
// # Promise
//
// A subscription has a name, and a place in the log that outlives programs. It
// gets every event of its datatypes that was written since it was first made, in
// the order of their positions, and those of one row in the order of the
// row's commits. Several processes may run one subscription: one of them has it at a
// time, and another takes over when that one ends or dies. An event is handled at
// least once: after a crash those are handled again that were handled and not
// yet recorded as such, with the same ids.
//
// Positions are assigned after the commit, by one statement, to events that
// are committed by then. So an event whose transaction took longer than that of a
// later one gets the later position, and none is passed over, however long a
// transaction takes and whatever becomes of it. A process that is cut off from the
// database stalls no other one.
//
// A new subscription gets the writes that begin after it. Another process sees it
// within a second: what that writes before has no events.
//
// Processes with different handlers may share a subscription, as two versions of one program do:
// an event waits for a process that has a handler for its datatype. Options.Drop removes a
// datatype whose handler is gone.
//
// # Failures
//
// A handler that returns an error, panics or ends its goroutine gets the event again, after a while. The
// subscription waits there, unless Options.MaxAttempts says when to set the event
// aside. What it waits for stands in the table event_cursors, in its row.
//
// # Secrets
//
// Secret fields are not in events: in Before and After they are empty.
package event
