//go:build !linux

package measure

// maxrssUnit: wait4 gives ru_maxrss in bytes on macOS.
const maxrssUnit = 1

// treeResident is not known without /proc.
func treeResident(string) int64 { return 0 }
