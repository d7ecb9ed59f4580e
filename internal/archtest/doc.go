// Package archtest holds the rules of the architecture as tests: who may import
// whom, where unsafe code may stand, how long a file may be, and that what the
// documentation points at exists. It has no code of its own.
package archtest
