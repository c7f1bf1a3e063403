package cache

import (
	"encoding/json"
	"fmt"
	"log/slog"
)

// masked stands where the secret of a key would.
const masked = "***"

// Format prints k without its secret, whatever the verb.
func (k Key) Format(f fmt.State, verb rune) {
	switch {
	case verb == 'v' && f.Flag('#'):
		fmt.Fprintf(f, "cache.Key{ID:%q, Secret:%s}", k.ID, masked)
	case verb == 'v' && f.Flag('+'):
		fmt.Fprintf(f, "{ID:%s Secret:%s}", k.ID, masked)
	default:
		fmt.Fprintf(f, "{%s %s}", k.ID, masked)
	}
}

// LogValue returns k without its secret, for log/slog.
func (k Key) LogValue() slog.Value {
	return slog.GroupValue(slog.String("ID", k.ID), slog.String("Secret", masked))
}

// MarshalJSON returns k without its secret. What it returns cannot be read back.
func (k Key) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]string{"ID": k.ID, "Secret": masked})
}

// Format prints o as fmt would by itself. It is there for verbs that fmt refuses:
// what it then prints of o, behind a pointer, would show the keys.
func (o Options) Format(f fmt.State, verb rune) {
	type options Options
	fmt.Fprintf(f, fmt.FormatString(f, verb), options(o))
}
