package migrate

// Prune is what a program runs once it has been open for a while.
var Prune = prune

// Extend is what renews the lease of a program.
var Extend = (*Set).extend
