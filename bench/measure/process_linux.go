package measure

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
)

// maxrssUnit: wait4 gives ru_maxrss in kilobytes on Linux.
const maxrssUnit = 1024

// groupResident sums the resident memory of every process of a group. Processes
// come and go while it reads, so what cannot be read counts as nothing.
func groupResident(group int) int64 {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0
	}
	var pages int64
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		// After the command's name in parentheses: state ppid pgrp ... rss is the 22nd (proc(5)).
		end := bytes.LastIndexByte(text, ')')
		if end < 0 {
			continue
		}
		fields := bytes.Fields(text[end+1:])
		if len(fields) < 22 || string(fields[2]) != strconv.Itoa(group) {
			continue
		}
		rss, err := strconv.ParseInt(string(fields[21]), 10, 64)
		if err == nil {
			pages += rss
		}
	}
	return pages * int64(os.Getpagesize())
}
