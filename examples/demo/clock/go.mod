// This file only keeps these sources out of the module around them: they are
// copied into a new project, which has a go.mod of its own, by ../run.sh.
module clock

go 1.26.0

