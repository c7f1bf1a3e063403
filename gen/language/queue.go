package language

// Shorthands of the queue's tables.
var (
	duration    = &Value{Form: Duration}
	concurrency = &Value{Form: Int, Min: 1, Max: MaxConcurrency}

	backoff = &Value{
		Form: Text, Choices: []string{"exponential", "squared"},
		Or: []Value{{Form: List, Min: 1, Max: MaxDelays, Of: duration}},
	}
)

// Queue is a datatype's queue section.
var Queue = &Mapping{
	Name: "queue",
	Help: "Rows are jobs: workers claim them, run them, and retry them with growing pauses.",
	Keys: []Key{
		{Name: "state", Help: "the select field that holds a job's state, and its options' meaning", Needed: true, Value: &Value{Form: Section, Keys: State}},
		{Name: "order", Help: "in which order jobs are taken up", Value: &Value{Form: List, Max: 8, Of: column}},
		{Name: "ageing", Help: "for every span of this length that a job has waited it counts as one higher in the first field of order, so that none waits for ever; never unless given", Value: duration},
		{Name: "run_at", Help: "the datetime before which a job is not taken up", Value: name},
		{Name: "attempts", Help: "the number of attempts so far; attempts unless given", Value: name},
		{Name: "max_attempts", Help: "the number of attempts after which a job is dead; max_attempts unless given", Value: name},
		{Name: "error", Help: "what the last attempt failed with; error unless given", Value: name},
		{Name: "started_at", Help: "when the last attempt started; started_at unless given", Value: name},
		{Name: "completed_at", Help: "when the job ended, well or not; completed_at unless given", Value: name},
		{Name: "timeout", Help: "how long one run of a handler may take; without it, as long as it likes. Kinds may have their own", Value: duration},
		{Name: "backoff", Help: "how long a job waits after a failure: exponential (the default, with jitter), squared (attempts squared, in minutes), or a list of durations, one for each attempt, whose last one repeats. Kinds may have their own", Value: backoff},
		{Name: "retention", Help: "how long jobs that have ended are kept; for ever unless given", Value: &Value{Form: Section, Keys: Retention}},
		{Name: "queues", Help: "several queues in one table, each with workers of its own; jobs go to the first unless they say otherwise", Value: &Value{Form: Map, Min: 1, Max: MaxQueues, Of: &Value{Form: Section, Keys: NamedQueue}}},
		{Name: "rate", Help: "how many jobs may start in a span of time, over all processes; with kinds, it is written in a kind", Value: &Value{Form: Section, Keys: Rate}},
		{Name: "concurrency", Help: "how many jobs may run at once, over all processes; with kinds, it is written in a kind", Value: concurrency},
		{Name: "per", Help: "the field for each of whose values rate and concurrency hold by themselves; with kinds, it is written in a kind", Value: name},
		{Name: "unique", Help: "makes one job of several that are alike; with kinds, it is written in a kind", Value: &Value{Form: Section, Keys: Unique}},
		{Name: "kind", Help: "the field that holds a job's kind; job_type unless given", Value: name},
		{Name: "payload", Help: "the json field that holds a job's payload; payload unless given", Value: name},
		{Name: "kinds", Help: "the kinds of jobs, each with the fields of its payload", Value: &Value{Form: Map, Min: 1, Max: MaxKinds, Of: &Value{Form: Section, Keys: Kind}}},
	},
}

// State is a queue's state section.
var State = &Mapping{
	Name: "state",
	Help: "Which option of a select means what to the queue.",
	Keys: []Key{
		{Name: "field", Help: "the select field", Value: name, Needed: true},
		{Name: "ready", Help: "the option of jobs that wait", Value: &optValue, Needed: true},
		{Name: "running", Help: "the option of jobs that a worker has", Value: &optValue, Needed: true},
		{Name: "done", Help: "the option of jobs that ended well", Value: &optValue, Needed: true},
		{Name: "dead", Help: "the option of jobs that failed too often", Value: &optValue, Needed: true},
		{Name: "cancelled", Help: "the option of jobs that someone called off; without it, they are dead", Value: &optValue},
	},
}

// Retention is a queue's retention section.
var Retention = &Mapping{
	Name:  "the retention section",
	Help:  "How long jobs that have ended are kept. Those of a state that is not named are kept for ever.",
	Meant: map[string]string{"completed": "done", "succeeded": "done", "failed": "dead", "discarded": "dead"},
	Keys: []Key{
		{Name: "done", Help: "how long jobs are kept that ended well", Value: duration},
		{Name: "dead", Help: "how long jobs are kept that failed too often", Value: duration},
		{Name: "cancelled", Help: "how long jobs are kept that someone called off", Value: duration},
	},
}

// NamedQueue is one entry of a queue's queues.
var NamedQueue = &Mapping{
	Name: "named queue",
	Help: "One of several queues in a table.",
	Keys: []Key{
		{Name: "concurrency", Help: "how many of its jobs one process runs at once; as the program's options say unless given", Value: concurrency},
	},
}

// Rate is a limit on how many jobs start.
var Rate = &Mapping{
	Name: "rate",
	Help: "At most so many starts in every span of time, over all processes.",
	Keys: []Key{
		{Name: "max", Help: "the most jobs that start in the span", Value: &Value{Form: Int, Min: 1, Max: MaxRate}, Needed: true},
		{Name: "every", Help: "the span, such as 1m", Value: duration, Needed: true},
	},
}

// Unique says which jobs are alike, and what becomes of another one.
var Unique = &Mapping{
	Name: "the unique section",
	Help: "One job of several that are alike.",
	Keys: []Key{
		{Name: "by", Help: "the fields that make two jobs alike when all of them are equal: members of the payload, or fields of the row", Value: &Value{Form: List, Min: 1, Max: MaxUniqueBy, Of: name}, Needed: true},
		{Name: "for", Help: "how long after it was enqueued a job keeps others like it out, also when it has ended; while it is unfinished unless given", Value: duration},
		{Name: "on_duplicate", Help: "keep: the first job stays as it is (the default); replace: it takes over what the new one holds, if it has not started; debounce: that, and it waits anew", Value: &Value{Form: Text, Choices: []string{"keep", "replace", "debounce"}}},
		{Name: "wait", Help: "how long a debounced job waits after the latest one like it", Value: duration},
		{Name: "at_most", Help: "how long a debounced job waits after the first one at most; ten times wait unless given", Value: duration},
	},
}

// Kind is one entry of a queue's kinds.
var Kind = &Mapping{
	Name:  "kind",
	Help:  "A kind of job, whose payload is a Go struct.",
	Meant: map[string]string{"max_attempts": "attempts", "retries": "attempts", "retry": "backoff", "payload": "fields", "uniq": "unique"},
	Keys: []Key{
		{Name: "fields", Help: "the fields of the payload", Needed: true, Value: &Value{Form: List, Max: MaxMembers, Of: &Value{Form: Section, Keys: Member}}},
		{Name: "go_name", Help: "the payload's name in Go, when the one made from the kind does not please", Value: goName},
		{Name: "queue", Help: "which of queues its jobs go to; the first unless given", Value: name},
		{Name: "timeout", Help: "how long one run of its handler may take; the queue's timeout unless given", Value: duration},
		{Name: "attempts", Help: "the number of attempts after which a job is dead; as the field for it has by default unless given", Value: &Value{Form: Int, Min: 1, Max: MaxAttempts}},
		{Name: "backoff", Help: "how long a job waits after a failure, in the forms of the queue's backoff, which holds unless given", Value: backoff},
		{Name: "rate", Help: "how many jobs of the kind may start in a span of time, over all processes", Value: &Value{Form: Section, Keys: Rate}},
		{Name: "concurrency", Help: "how many jobs of the kind may run at once, over all processes", Value: concurrency},
		{Name: "per", Help: "the member of the payload, or field of the row, for each of whose values rate and concurrency hold by themselves", Value: name},
		{Name: "unique", Help: "makes one job of several of the kind that are alike", Value: &Value{Form: Section, Keys: Unique}},
		{Name: "version", Help: "the version of the payload; 1 unless given. A new one comes with every change that old jobs do not fit", Value: &Value{Form: Int, Min: 1, Max: MaxVersion}},
		{Name: "older", Help: "the payloads of versions before this one that jobs may still have, by version", Value: &Value{
			Form: Map, Min: 1, Max: MaxVersion, Pattern: VersionPattern, Name: "the number of a version, such as 1",
			Of: &Value{Form: Section, Keys: Older},
		}},
	},
}

// Older is one entry of a kind's older.
var Older = &Mapping{
	Name: "older version",
	Help: "A payload's form in an earlier version.",
	Keys: []Key{
		{Name: "fields", Help: "the fields that the payload had", Needed: true, Value: &Value{Form: List, Max: MaxMembers, Of: &Value{Form: Section, Keys: Member}}},
	},
}
