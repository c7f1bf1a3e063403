// Package generate measures the generator as a user meets it: the whole
// process, all three databases, from the command line.
//
// The peer is ent 0.14.5 on equal entities. Both are built before anything is
// timed and both find a warm Go build cache (ent compiles and runs a loader in
// every run, as it does for its users). What the cases mean:
//
//   - from nothing: ours without its analysis cache and without output, ent
//     without output.
//   - one edited: everything is there, then one definition gets a field that
//     it never had before; only then does the clock run.
//   - go build, cold: a build cache that holds every dependency and nothing of
//     the generated code, so that only the generated code is compiled.
//   - peak memory: the largest single process (wait4), and the highest sum over
//     all processes of the run at one moment (/proc, every 25 ms).
//
// ent takes minutes for 200 entities, so those cases measure it once unless
// BENCH_LONG says how often; the notes say what was done. BENCH_QUICK=1 is for
// a look while working: two rounds, 40 datatypes in place of 200.
package generate
