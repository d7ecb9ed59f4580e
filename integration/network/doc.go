// Package network holds programs that use the network as honest programs do.
// Each is run bare and in the sandbox, by root and by an ordinary user, against
// real servers on a network that the tests make.
package network
