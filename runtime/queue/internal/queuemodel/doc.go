// Package queuemodel checks the queue's state machine exhaustively. It holds
// tests alone.
//
// The model (model_test.go) has two workers and two jobs. Each of its steps is
// one statement of the engine, or something that the world does to it: a lease
// runs out, a process dies, a reply gets lost. The search (search_test.go)
// walks through every state that any order of steps can lead to, and looks at
// each step:
//
//   - a job is completed at most once, and the writes of CompleteTx stand at most
//     once, and only where the job is done;
//   - a settlement or a heartbeat of a worker whose claim is not the current one
//     changes nothing;
//   - a run after the first was preceded by a lost lease, or by a settlement that
//     asked for it, or somebody retried the job;
//   - a run that follows one which had begun what must not happen twice was asked for by its
//     settlement, or somebody retried the job;
//   - an ended job stays as it is, unless somebody retries it;
//   - from every state, every job can still reach its end.
//
// A claim or a heartbeat of a whole batch is atomic, so it does what single ones
// with nothing between them do, and those orders are among the ones walked
// through. A stopped process is one whose steps come late: every order has it.
//
// A check that cannot fail proves nothing, so each guard of the statements is
// also taken out in turn, and the search must then find a violation.
package queuemodel
