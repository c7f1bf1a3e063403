package goname

import "strings"

// File is the name of a Go file, without its end, that is named after a datatype. The go command
// leaves out a file whose name ends in a system or a processor, report_js.go: there a hyphen,
// which means nothing to it, takes the place of the last underscore.
func File(datatype string) string {
	if i := strings.LastIndexByte(datatype, '_'); i >= 0 && IsConstraint(datatype[i+1:]) {
		return datatype[:i] + "-" + datatype[i+1:]
	}
	return datatype
}

// IsConstraint reports whether the go command interprets the end of a file's name, behind
// its last underscore: that of a system, a processor, or test.
func IsConstraint(word string) bool { return constrained[word] }

// constrained are the ends of file names, as go/build lists them.
var constrained = func() map[string]bool {
	const words = "aix android darwin dragonfly freebsd hurd illumos ios js linux nacl netbsd openbsd plan9 solaris wasip1 windows zos " +
		"386 amd64 amd64p32 arm armbe arm64 arm64be loong64 mips mipsle mips64 mips64le mips64p32 mips64p32le " +
		"ppc ppc64 ppc64le riscv riscv64 s390 s390x sparc sparc64 wasm test"
	m := map[string]bool{}
	for word := range strings.FieldsSeq(words) {
		m[word] = true
	}
	return m
}()
