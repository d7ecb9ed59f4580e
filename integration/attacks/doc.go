// Package attacks holds programs that try to leave the sandbox. Each in corpus
// has an effect that the kernel shows: a server outside that is reached, a file
// that is read or written, a process that is signalled. A test runs it bare, where
// the effect must happen, and in the sandbox, where it must not.
package attacks
