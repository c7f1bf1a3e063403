// Package entity writes MIME entities (RFC 2045, RFC 2046): header fields that are folded,
// bodies that are encoded, and multipart entities of them. What it writes has lines ended by
// CRLF, none of them over 998 bytes, and is the same each time for the same entity.
package entity
