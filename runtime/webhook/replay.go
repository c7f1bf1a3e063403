package webhook

import (
	"context"
	"errors"
	"time"
)

// What a ReplayChecker says of a message that is not to be handled now.
var (
	// ErrDuplicate says that the message was handled before.
	ErrDuplicate = errors.New("webhook: duplicate message")
	// ErrInProgress says that the message is being handled: by another request, whose
	// end is not known yet.
	ErrInProgress = errors.New("webhook: message in progress")
)

// A ReplayChecker remembers which messages were handled. It is called concurrently.
// [MemoryReplays] remembers them in one process.
type ReplayChecker interface {
	// Claim reserves the message of a sender for the caller, who handles it and then
	// calls Done or Release. It returns at once: with ErrDuplicate when Done was called
	// for the message, with ErrInProgress when another caller has it reserved. Of any
	// number of concurrent calls, one gets the claim.
	//
	// The sender is a name that the program chose, "" where it has one sender. The ID is
	// printable ASCII of 1 to 255 bytes. A handled message is remembered until the given
	// time at least. An implementation whose processes can die must let claims expire,
	// after longer than a handler can take.
	Claim(ctx context.Context, sender, id string, until time.Time) (ReplayClaim, error)
}

// A ReplayClaim is a message that its holder alone handles.
type ReplayClaim interface {
	// Done records that the message was handled.
	Done(ctx context.Context) error
	// Release forgets the message, so that it can be claimed again.
	Release(ctx context.Context) error
}
