// Command mutants breaks lines of the project on purpose, one at a time, and
// reports which of the breaks the tests notice. `make mutants` runs it.
//
// The breaks are kept in testdata/mutants, a list for each area. An entry names
// a file, a text that stands in it exactly once, its broken replacement, what a
// user would suffer from it, and the arguments of the smallest `go test` that
// has to fail:
//
//   - name: seal-nonce-zero
//     file: runtime/cache/pack.go
//     old: "rand.Read(nonce)"
//     new: "rand.Read(nil)"
//     why: AES-GCM with a repeated nonce, so that secrets can be recovered
//     test: [./runtime/cache, -run, TestSeal]
//     needs: [postgres] # servers: postgres, mysql, redis, pgbouncer; none as a rule
//
// The broken file is passed to go test as an overlay, so the tree is never
// changed. Each test is run unbroken first, since a test that fails by itself
// notices nothing. What is printed of an entry is
//
//	noticed           the test failed, or did not end in time
//	not noticed       it passed
//	does not compile  the break is no Go: mend the entry
//	stale             the file or its test has changed: mend the entry
//	not run           a server that it needs is missing
//
// The command fails when fewer than MUTANTS_WANTED percent were noticed, where
// whatever was not noticed for any reason counts against it.
//
//	MUTANTS_AREA     lists to run, by file name without .yaml, several with commas; all by default
//	MUTANTS_NAME     a regular expression of names; all by default
//	MUTANTS_PACKAGE  a regular expression of the broken files' folders; all by default
//	MUTANTS_TIMEOUT  of one run of a test, a Go duration; 3m
//	MUTANTS_WANTED   percent; 90
//	MUTANTS_VERBOSE  1 prints the output of each broken test
package main
