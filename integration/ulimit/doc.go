// Package ulimit runs pysandbox under low limits of the caller's own. It has no
// code of its own.
package ulimit
