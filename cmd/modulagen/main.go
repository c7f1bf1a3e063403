package main

import "github.com/hegner123/modulagen/gen/sqlc/child"

func main() {
	child.Main()
}
