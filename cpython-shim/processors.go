package shim

// #include "begin.h"
import "C"

import (
	"os"
	"runtime"
	"strings"
)

// returnLent puts back the variable whose place in the environment the constructor has
// lent to GOMAXPROCS=1. The runtime has read that one by then, and nobody else
// may see it: what a policy passes on comes from os.Environ.
func returnLent() {
	if C.psb_lent.place == nil {
		return
	}
	*C.psb_lent.place = C.psb_lent.variable
	name, value, _ := strings.Cut(C.GoString(C.psb_lent.variable), "=")
	// Neither can fail: both came out of an environment.
	_ = os.Unsetenv("GOMAXPROCS")
	_ = os.Setenv(name, value)
}

// UseAllProcessors lets Go code run on as many processors as it does by itself.
// A process that began as `pysandbox exec` uses one until then, which makes its
// start faster; what serves a program needs more, or one goroutine's work would
// delay another's answer.
func UseAllProcessors() {
	if C.psb_lent.place != nil {
		runtime.SetDefaultGOMAXPROCS()
	}
}
