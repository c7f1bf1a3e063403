package measure

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// maxrssUnit: wait4 gives ru_maxrss in kilobytes on Linux.
const maxrssUnit = 1024

// treeResident sums the resident memory of a process and of all that descend
// from it. It follows the lists of children and looks at no other process: to
// read all of /proc that often took half a core from what is measured.
// Processes come and go meanwhile; what cannot be read counts as nothing.
func treeResident(process string) int64 {
	var size, resident int64
	statm, err := os.ReadFile(filepath.Join("/proc", process, "statm"))
	if err != nil {
		return 0
	}
	if _, err := fmt.Sscan(string(statm), &size, &resident); err != nil {
		return 0
	}
	total := resident * int64(os.Getpagesize())
	lists, err := filepath.Glob(filepath.Join("/proc", process, "task/*/children"))
	if err != nil {
		return total
	}
	for _, path := range lists {
		children, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		for _, child := range strings.Fields(string(children)) {
			total += treeResident(child)
		}
	}
	return total
}
