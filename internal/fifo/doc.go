// Package fifo opens named pipes (fifo(7)) whose other end may come a little later than
// we: a shell starts it beside pysandbox, as in `generate > fifo & pysandbox ...`. It
// must not know what is read or written.
package fifo

import "time"

// Patience is how long the other end may take to open the pipe.
const Patience = time.Second
