package event

import "errors"

// ErrLost is the cause with which a handler's context ends when the subscription was
// taken over by another process, because this one could not renew its lease in time.
var ErrLost = errors.New("event: the subscription was taken over by another process")

// ErrInvalid is wrapped by errors about a name or options that cannot be used.
var ErrInvalid = errors.New("event: invalid")

// ErrUnsubscribed is returned by Subscribe, and is the cause with which a handler's context
// ends, when the subscription was removed by Unsubscribe, or all datatypes that it has handlers for
// by Options.Drop.
var ErrUnsubscribed = errors.New("event: the subscription was removed")
