package protocol

// Predefined are the actions of the action_type predefined that every program has. Others are the
// program's own.
var Predefined = []string{
	"backup_database", "cleanup", "cleanup_cache", "cleanup_sessions", "digest_email", "invalidate_cache", "publish_scheduled_content",
}
