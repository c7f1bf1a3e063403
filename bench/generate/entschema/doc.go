// Package entschema holds the seven built-in definitions as ent schemas: the
// same names, types, lengths, defaults and indexes, so that ent generates for
// equal entities. The suite copies these files into its working folder.
package entschema

import "embed"

// Files are the schemas' sources.
//
//go:embed *.go
var Files embed.FS
