//go:build ignore

// Command entc generates the client, with locks of rows beside ent's defaults.
package main

import (
	"log"

	"entgo.io/ent/entc"
	"entgo.io/ent/entc/gen"
)

func main() {
	if err := entc.Generate("./schema", &gen.Config{Features: []gen.Feature{gen.FeatureLock}}); err != nil {
		log.Fatal("ent: ", err)
	}
}
