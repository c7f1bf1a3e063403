// Package cache measures runtime/cache beside go-redis on Debian's redis-server,
// otter and plain SELECTs: 200-byte values under 50,000 keys, on one machine,
// all sides in turns in one process.
//
// Redis keeps nothing on the disk here. SQLite is as durable as it is without
// being told otherwise: WAL, synchronous=normal, which like Redis without fsync
// loses nothing when the process dies and may lose the last moments with the
// machine.
package cache
