// Package death holds the tests that kill a supervisor at every moment of its
// life and look for what it leaves behind.
package death
