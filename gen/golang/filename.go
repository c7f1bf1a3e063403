package golang

import "github.com/hegner123/modulagen/gen/goname"

// fileName is the file of a datatype.
func fileName(datatype string) string {
	if datatype == "db" || datatype == "queries" { // whose files hold something else
		return datatype + "-rows.gen.go"
	}
	return goname.File(datatype) + ".gen.go"
}
