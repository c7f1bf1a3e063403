package store

import "encoding/json"

// JSON is a JSON document whose type the definition does not name.
type JSON = json.RawMessage
