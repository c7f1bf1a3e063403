package measure

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
)

// maxrssUnit: wait4 gives ru_maxrss in kilobytes on Linux.
const maxrssUnit = 1024

// treeResident sums the resident memory of a process and of all that descend
// from it. Processes come and go while it reads, so what cannot be read counts
// as nothing.
func treeResident(root int) int64 {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0
	}
	pages, children := map[string]int64{}, map[string][]string{}
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		// After the command's name in parentheses: state, parent, ...; rss is the 22nd (proc(5)).
		end := bytes.LastIndexByte(text, ')')
		if end < 0 {
			continue
		}
		fields := bytes.Fields(text[end+1:])
		if len(fields) < 22 {
			continue
		}
		process, parent := filepath.Base(filepath.Dir(path)), string(fields[1])
		children[parent] = append(children[parent], process)
		pages[process], _ = strconv.ParseInt(string(fields[21]), 10, 64)
	}
	var total int64
	for queue := []string{strconv.Itoa(root)}; len(queue) > 0; queue = queue[1:] {
		total += pages[queue[0]]
		queue = append(queue, children[queue[0]]...)
	}
	return total * int64(os.Getpagesize())
}
