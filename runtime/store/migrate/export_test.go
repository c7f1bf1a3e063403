package migrate

// Extend is what renews the lease of a program.
var Extend = (*Set).extend
