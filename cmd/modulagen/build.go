package main

import (
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"strings"
)

const modulePath = "github.com/hegner123/modulagen"

const (
	devel      = "devel"  // the version of a program that was not built from a release
	unreleased = "v0.0.0" // what go.mod names where a replace stands for it
)

var release = regexp.MustCompile(`^v\d+\.\d+\.\d+(-(alpha|beta|rc)\.?\d*)?$`)

// version is the release that this program was built from, or devel.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		m := info.Main
		if m.Path == modulePath && m.Replace == nil && m.Version != unreleased && release.MatchString(m.Version) {
			return m.Version
		}
	}
	return devel
}

// checkout is the folder of the sources that this program was built from, or ""
// when they are a module in Go's cache or are gone.
func checkout() string {
	var starts []string
	if _, file, _, ok := runtime.Caller(0); ok && filepath.IsAbs(file) {
		starts = append(starts, filepath.Dir(file))
	}
	if self, err := os.Executable(); err == nil {
		starts = append(starts, filepath.Dir(self)) // built with -trimpath
	}
	for _, dir := range starts {
		if strings.Contains(dir, "@") {
			continue // a module's folder in the cache carries its version
		}
		for ; ; dir = filepath.Dir(dir) {
			data, err := os.ReadFile(filepath.Join(dir, "go.mod"))
			if err == nil && strings.HasPrefix(string(data), "module "+modulePath+"\n") {
				return dir
			}
			if dir == filepath.Dir(dir) {
				break
			}
		}
	}
	return ""
}
