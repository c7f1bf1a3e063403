package measure

import (
	"bytes"
	"fmt"
	"os/exec"
	"syscall"
	"time"
)

// Usage is what a finished process and its children took.
type Usage struct {
	Wall    time.Duration
	Largest int64 // bytes: the highest resident size of any single process
	Tree    int64 // bytes: the highest sum over all its processes at one moment, sampled every 10 ms; 0 where /proc is missing
}

// Run runs the command to its end. What it printed is in the error if it fails.
// The command gets a process group of its own, by which its children are known.
func Run(cmd *exec.Cmd) (Usage, error) {
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return Usage{}, fmt.Errorf("measure: %w", err)
	}
	watch := watchGroup(cmd.Process.Pid)
	err := cmd.Wait()
	usage := Usage{Wall: time.Since(start), Tree: watch()}
	if err != nil {
		return usage, fmt.Errorf("measure: %s: %w\n%s", cmd, err, output.Bytes())
	}
	if rusage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		usage.Largest = int64(rusage.Maxrss) * maxrssUnit
	}
	return usage, nil
}

// watchGroup samples the resident memory of a process group until the returned
// function is called, which gives the highest sum seen.
func watchGroup(group int) func() int64 {
	stop, peak := make(chan struct{}), make(chan int64)
	go func() {
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		var highest int64
		for {
			select {
			case <-tick.C:
				highest = max(highest, groupResident(group))
			case <-stop:
				peak <- highest
				return
			}
		}
	}()
	return func() int64 { close(stop); return <-peak }
}
