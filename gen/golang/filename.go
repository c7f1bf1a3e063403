package golang

import "strings"

// fileName is the file of a datatype. The go command leaves out a file whose
// name ends in a system or a processor, report_js.go: there a hyphen, which
// means nothing to it, takes the place of the last underscore.
func fileName(datatype string) string {
	if datatype == "db" || datatype == "queries" { // whose files hold something else
		return datatype + "-rows.gen.go"
	}
	if i := strings.LastIndexByte(datatype, '_'); i >= 0 && constrained[datatype[i+1:]] {
		datatype = datatype[:i] + "-" + datatype[i+1:]
	}
	return datatype + ".gen.go"
}

// constrained are the ends of file names that the go command gives a meaning,
// as go/build lists them.
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
