// This file only keeps these sources out of the module around them: they are
// copied into a new project, which has a go.mod of its own, by ../run.sh.
module shop

go 1.26.0

require golang.org/x/image v0.47.0
