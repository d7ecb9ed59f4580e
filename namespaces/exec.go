package namespaces

import (
	"fmt"
	"slices"
	"strings"
)

// ExecOp returns the operation that starts executable with the given argument
// vector and environment ("NAME=value").
func ExecOp(executable string, args, env []string) (Op, error) {
	var data []byte
	for _, word := range slices.Concat(args, env) {
		if strings.IndexByte(word, 0) >= 0 {
			return Op{}, fmt.Errorf("%q holds a NUL, which ends an argument or variable in the kernel", word)
		}
		data = append(append(data, word...), 0)
	}
	return Op{Code: OpExec, S1: executable, Data: data, N1: uint64(len(args)), N2: uint64(len(env))}, nil
}

// ExecArgs returns the argument vector and environment of an OpExec.
func (op Op) ExecArgs() (args, env []string) {
	words := splitWords(op.Data)
	argc := min(op.N1, uint64(len(words)))
	return words[:argc], words[argc:]
}
