package queue

import (
	"github.com/hegner123/modulagen/gen/language"
)

// Limits of what is written.
const (
	maxKinds       = 100
	maxQueues      = 32 // named queues of one datatype
	maxDelays      = 20 // of a backoff
	maxUniqueBy    = 8
	maxAttempts    = 10_000
	maxConcurrency = 10_000
	maxRate        = 1_000_000 // starts in a span of time
	maxVersion     = 1_000     // of a payload
)

// versionPattern is the form of the number of a payload's version, as a key.
const versionPattern = `^[1-9][0-9]{0,3}$`

// Shorthands of the queue's tables.
var (
	concurrencyGrammar = &language.Value{Form: language.Int, Min: 1, Max: maxConcurrency}

	backoffGrammar = &language.Value{
		Form: language.Text, Choices: []string{"exponential", "squared"},
		Or: []language.Value{{Form: language.List, Min: 1, Max: maxDelays, Of: language.DurationValue}},
	}
)

// grammar is what may stand in a queue section.
var grammar = &language.Mapping{
	Name: "queue",
	Help: "Rows are jobs: workers claim them, run them, and retry them with growing pauses.",
	Keys: []language.Key{
		{Name: "state", Help: "the select field that holds a job's state, and its options' meaning", Needed: true, Value: &language.Value{Form: language.Section, Keys: stateGrammar}},
		{Name: "order", Help: "in which order jobs are claimed", Value: &language.Value{Form: language.List, Max: 8, Of: language.ColumnValue}},
		{Name: "ageing", Help: "for every span of this length that a job has waited it counts as one higher in the first field of order, so that none waits for ever; never unless given", Value: language.DurationValue},
		{Name: "run_at", Help: "the datetime before which a job is not claimed", Value: language.NameValue},
		{Name: "attempts", Help: "the number of attempts so far; attempts unless given", Value: language.NameValue},
		{Name: "max_attempts", Help: "the number of attempts after which a job is dead; max_attempts unless given", Value: language.NameValue},
		{Name: "error", Help: "what the last attempt failed with; error unless given", Value: language.NameValue},
		{Name: "started_at", Help: "when the last attempt started; started_at unless given", Value: language.NameValue},
		{Name: "completed_at", Help: "when the job ended, well or not; completed_at unless given", Value: language.NameValue},
		{Name: "claimed_by", Help: "the text field of the process that claimed the job last, its host and process id; claimed_by unless given", Value: language.NameValue},
		{Name: "timeout", Help: "how long one run of a handler may take; without it, as long as it likes. Kinds may have their own", Value: language.DurationValue},
		{Name: "backoff", Help: "how long a job waits after a failure: exponential (the default, with jitter), squared (attempts squared, in minutes), or a list of durations, one for each attempt, whose last one repeats. Kinds may have their own", Value: backoffGrammar},
		{Name: "retention", Help: "how long jobs that have ended are kept; for ever unless given", Value: &language.Value{Form: language.Section, Keys: retentionGrammar}},
		{Name: "queues", Help: "several queues in one table, each with workers of its own; jobs go to the first unless they say otherwise", Value: &language.Value{Form: language.Map, Min: 1, Max: maxQueues, Of: &language.Value{Form: language.Section, Keys: namedGrammar}}},
		{Name: "rate", Help: "how many jobs may start in a span of time, over all processes; with kinds, it is written in a kind", Value: &language.Value{Form: language.Section, Keys: rateGrammar}},
		{Name: "concurrency", Help: "how many jobs may run at once, over all processes; with kinds, it is written in a kind", Value: concurrencyGrammar},
		{Name: "per", Help: "the field for each of whose values rate and concurrency hold by themselves; with kinds, it is written in a kind", Value: language.NameValue},
		{Name: "unique", Help: "makes one job of several that are alike; with kinds, it is written in a kind", Value: &language.Value{Form: language.Section, Keys: uniqueGrammar}},
		{Name: "kind", Help: "the field that holds a job's kind; job_type unless given", Value: language.NameValue},
		{Name: "payload", Help: "the json field that holds a job's payload; payload unless given", Value: language.NameValue},
		{Name: "kinds", Help: "the kinds of jobs, each with the fields of its payload", Value: &language.Value{Form: language.Map, Min: 1, Max: maxKinds, Of: &language.Value{Form: language.Section, Keys: kindGrammar}}},
	},
}

// stateGrammar is a queue's state section.
var stateGrammar = &language.Mapping{
	Name: "state",
	Help: "Which option of a select means what to the queue.",
	Keys: []language.Key{
		{Name: "field", Help: "the select field", Value: language.NameValue, Needed: true},
		{Name: "ready", Help: "the option of jobs that wait", Value: language.OptionValue, Needed: true},
		{Name: "running", Help: "the option of jobs that a worker has", Value: language.OptionValue, Needed: true},
		{Name: "done", Help: "the option of jobs that ended well", Value: language.OptionValue, Needed: true},
		{Name: "dead", Help: "the option of jobs that failed too often", Value: language.OptionValue, Needed: true},
		{Name: "cancelled", Help: "the option of jobs that someone called off; without it, they are dead", Value: language.OptionValue},
		{Name: "unknown", Help: "the option of jobs whose worker was lost after BeginOnce, which may have done their work; they wait for a person", Value: language.OptionValue},
	},
}

// retentionGrammar is a queue's retention section.
var retentionGrammar = &language.Mapping{
	Name:  "the retention section",
	Help:  "How long jobs that have ended are kept. Those of a state that is not named are kept for ever.",
	Meant: map[string]string{"completed": "done", "succeeded": "done", "failed": "dead", "discarded": "dead"},
	Keys: []language.Key{
		{Name: "done", Help: "how long jobs are kept that ended well", Value: language.DurationValue},
		{Name: "dead", Help: "how long jobs are kept that failed too often", Value: language.DurationValue},
		{Name: "cancelled", Help: "how long jobs are kept that someone called off", Value: language.DurationValue},
		{Name: "unknown", Help: "how long jobs are kept that may have done their work", Value: language.DurationValue},
	},
}

// namedGrammar is one entry of a queue's queues.
var namedGrammar = &language.Mapping{
	Name: "named queue",
	Help: "One of several queues in a table.",
	Keys: []language.Key{
		{Name: "concurrency", Help: "how many of its jobs one process runs at once; as the program's options say unless given", Value: concurrencyGrammar},
	},
}

// rateGrammar is a limit on how many jobs start.
var rateGrammar = &language.Mapping{
	Name: "rate",
	Help: "At most so many starts in every span of time, over all processes.",
	Keys: []language.Key{
		{Name: "max", Help: "the most jobs that start in the span", Value: &language.Value{Form: language.Int, Min: 1, Max: maxRate}, Needed: true},
		{Name: "every", Help: "the span, such as 1m", Value: language.DurationValue, Needed: true},
	},
}

// uniqueGrammar says which jobs are alike, and what becomes of another one.
var uniqueGrammar = &language.Mapping{
	Name: "the unique section",
	Help: "One job of several that are alike.",
	Keys: []language.Key{
		{Name: "by", Help: "the fields that make two jobs alike when all of them are equal: members of the payload, or fields of the row", Value: &language.Value{Form: language.List, Min: 1, Max: maxUniqueBy, Of: language.NameValue}, Needed: true},
		{Name: "for", Help: "how long after it was enqueued a job keeps others like it out, also when it has ended; while it is unfinished unless given", Value: language.DurationValue},
		{Name: "on_duplicate", Help: "keep: the first job stays as it is (the default); replace: it takes over what the new one holds, if it has not started; debounce: that, and it waits anew", Value: &language.Value{Form: language.Text, Choices: []string{"keep", "replace", "debounce"}}},
		{Name: "wait", Help: "how long a debounced job waits after the latest one like it", Value: language.DurationValue},
		{Name: "at_most", Help: "how long a debounced job waits after the first one at most; ten times wait unless given", Value: language.DurationValue},
	},
}

// kindGrammar is one entry of a queue's kinds.
var kindGrammar = &language.Mapping{
	Name:  "kind",
	Help:  "A kind of job, whose payload is a Go struct.",
	Meant: map[string]string{"max_attempts": "attempts", "retries": "attempts", "retry": "backoff", "payload": "fields", "uniq": "unique"},
	Keys: []language.Key{
		{Name: "fields", Help: "the fields of the payload", Needed: true, Value: &language.Value{Form: language.List, Max: language.MaxMembers, Of: &language.Value{Form: language.Section, Keys: language.Member}}},
		{Name: "go_name", Help: "the payload's name in Go, when the one made from the kind does not please", Value: language.GoNameValue},
		{Name: "queue", Help: "which of queues its jobs go to; the first unless given", Value: language.NameValue},
		{Name: "timeout", Help: "how long one run of its handler may take; the queue's timeout unless given", Value: language.DurationValue},
		{Name: "attempts", Help: "the number of attempts after which a job is dead; as the field for it has by default unless given", Value: &language.Value{Form: language.Int, Min: 1, Max: maxAttempts}},
		{Name: "backoff", Help: "how long a job waits after a failure, in the forms of the queue's backoff, which holds unless given", Value: backoffGrammar},
		{Name: "rate", Help: "how many jobs of the kind may start in a span of time, over all processes", Value: &language.Value{Form: language.Section, Keys: rateGrammar}},
		{Name: "concurrency", Help: "how many jobs of the kind may run at once, over all processes", Value: concurrencyGrammar},
		{Name: "per", Help: "the member of the payload, or field of the row, for each of whose values rate and concurrency hold by themselves", Value: language.NameValue},
		{Name: "unique", Help: "makes one job of several of the kind that are alike", Value: &language.Value{Form: language.Section, Keys: uniqueGrammar}},
		{Name: "version", Help: "the version of the payload; 1 unless given. A new one comes with every change that old jobs do not fit", Value: &language.Value{Form: language.Int, Min: 1, Max: maxVersion}},
		{Name: "older", Help: "the payloads of versions before this one that jobs may still have, by version", Value: &language.Value{
			Form: language.Map, Min: 1, Max: maxVersion, Pattern: versionPattern, Name: "the number of a version, such as 1",
			Of: &language.Value{Form: language.Section, Keys: olderGrammar},
		}},
	},
}

// olderGrammar is one entry of a kind's older.
var olderGrammar = &language.Mapping{
	Name: "older version",
	Help: "A payload's form in an earlier version.",
	Keys: []language.Key{
		{Name: "fields", Help: "the fields that the payload had", Needed: true, Value: &language.Value{Form: language.List, Max: language.MaxMembers, Of: &language.Value{Form: language.Section, Keys: language.Member}}},
	},
}
