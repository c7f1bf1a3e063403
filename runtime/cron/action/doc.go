// Package action has the actions of jobs. Generated code calls it, and package scheduler runs what
// Types returns.
//
//	types.go       the action_types, and finding the action that a configuration means
//	predefined.go  the action_type predefined: those below, and a program's own
//	datatypes.go   publish_scheduled_content, cleanup_cache, cleanup_sessions, cleanup, invalidate_cache
//	backup.go      backup_database, whose work is in package backup
//	digest.go      digest_email: digestrows.go reads rows, digesttext.go makes texts of them
//	http.go        http, and httpconfig.go its configuration
//	job.go, mail.go, webhook.go   what only writes, in the transaction of the firing
//	ping.go        pings of outside monitors
//
// # What generated code prints
//
// For each hook of a project.Datatype, with the names of the built-ins in place of a project's:
//
//	Publish:    func(ctx context.Context, c *core.Conn) (int64, error) {
//		return publish.Due(ctx, core.Bind(c, &articleSpec), &articlePublish)
//	},
//	Sweep:      func(ctx context.Context, c *core.Conn) (int64, error) { return table.Sweep(ctx, c, &cacheEntryCache) },
//	Invalidate: func(ctx context.Context, c *core.Conn, tags []string) (int64, error) {
//		return table.Invalidate(ctx, c, &cacheEntryCache, tags)
//	},
//	Kinds: map[string]project.Kind{
//		"image_optimize": project.KindOf("image_optimize", imageOptimizeRules,
//			func(ctx context.Context, c *core.Conn, p ImageOptimize) (any, error) {
//				t := JobQueueTable{core.Bind(c, &jobQueueSpec)}
//				row, err := t.EnqueueImageOptimize(ctx, p)
//				if err != nil {
//					return nil, err
//				}
//				return row.ID, nil
//			}),
//	},
//	CheckMessage: func(m project.Message) error { return outbox.CheckMessage(&emailQueueMail, cronMessage(m)) },
//	Send: func(ctx context.Context, c *core.Conn, m project.Message) (int64, error) {
//		return outbox.SendOne(ctx, c, &emailQueueMail, cronMessage(m))
//	},
//	Deliver: delivery.Deliverer(&webhookQueueWebhooks, "cron"),
//
// with, once for the project,
//
//	func cronMessage(m project.Message) mail.Message {
//		return mail.Message{
//			From: m.From, To: m.To, Subject: m.Subject, HTML: m.HTML, Plain: m.Plain, IdempotencyKey: m.IdempotencyKey,
//		}
//	}
//
// Deliver is printed for the datatype of the queue where that of the requests has a field name. Sweep
// and Invalidate work in batches of their own, as Publish does, where c is no transaction; Cleanup must too.
package action
