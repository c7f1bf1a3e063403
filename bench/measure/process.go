package measure

import (
	"bytes"
	"fmt"
	"os/exec"
	"strconv"
	"syscall"
	"time"
)

// Usage is what a finished process and its children took.
type Usage struct {
	Wall    time.Duration
	Largest int64 // bytes: the highest resident size of any single process
	Tree    int64 // bytes: the highest sum over all its processes at one moment, sampled every 25 ms where there is /proc, and at least Largest
}

// Run runs the command to its end. What it printed is in the error if it fails.
func Run(cmd *exec.Cmd) (Usage, error) {
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return Usage{}, fmt.Errorf("measure: %w", err)
	}
	watch := watchTree(strconv.Itoa(cmd.Process.Pid))
	err := cmd.Wait()
	usage := Usage{Wall: time.Since(start), Tree: watch()}
	if err != nil {
		return usage, fmt.Errorf("measure: %s: %w\n%s", cmd, err, output.Bytes())
	}
	if rusage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		usage.Largest = rusage.Maxrss * maxrssUnit
		usage.Tree = max(usage.Tree, usage.Largest) // a short peak falls between two samples
	}
	return usage, nil
}

// watchTree samples the resident memory of a process and of its descendants
// until the returned function is called, which gives the highest sum seen.
func watchTree(root string) func() int64 {
	stop, peak := make(chan struct{}), make(chan int64)
	go func() {
		tick := time.NewTicker(25 * time.Millisecond)
		defer tick.Stop()
		var highest int64
		for {
			select {
			case <-tick.C:
				highest = max(highest, treeResident(root))
			case <-stop:
				peak <- highest
				return
			}
		}
	}()
	return func() int64 { close(stop); return <-peak }
}
