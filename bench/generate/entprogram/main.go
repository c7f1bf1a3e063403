// Command entprogram is ent's generator as its documentation advises to embed
// it: entc.Generate on one folder of schemas. It is built before anything is
// timed, so that only ent's own work is.
package main

import (
	"log"
	"os"

	"entgo.io/ent/entc"
	"entgo.io/ent/entc/gen"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: entprogram SCHEMA_FOLDER")
	}
	if err := entc.Generate(os.Args[1], &gen.Config{}); err != nil {
		log.Fatalf("entprogram: %v", err)
	}
}
