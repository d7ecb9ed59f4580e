package shim

// #include "begin.h"
import "C"

import (
	"os"
	"strings"
)

// init puts back what the constructor has set aside of the caller's environment
// (environment.c), once GOMAXPROCS is not in the place of another variable. The
// runtime does not read any of it any more.
func init() {
	returnLent()
	for _, variable := range C.psb_aside {
		if variable == nil {
			continue
		}
		name, value, _ := strings.Cut(C.GoString(variable), "=")
		_ = os.Setenv(name, value) // cannot fail: it came out of an environment
	}
}
