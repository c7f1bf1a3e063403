package migrate

// Prune is what a program runs once it has been open for a while.
var Prune = prune
