// Package script tests the command as its users meet it: each file of testdata
// is one behaviour, run against the real binary once as root and once as an
// ordinary user. It has no code of its own.
package script
