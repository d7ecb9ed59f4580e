package namespaces

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"strings"
)

// filterInstructionSize is sizeof(struct sock_filter), and maxFilter the kernel's
// limit BPF_MAXINSNS on instructions.
const (
	filterInstructionSize = 8
	maxFilter             = 4096
)

// Validate checks that p is a complete program in an order that confines: all
// mounts before the host's tree is left, Landlock after the last mount, the
// program's process after all that it inherits, the filter right before execve.
// It also checks that each operation is one that the stage can run.
func (p Program) Validate() error {
	last := phaseTree
	counts := make(map[OpCode]int)
	for i, op := range p {
		at := phase(op.Code, last)
		if at < last {
			return fmt.Errorf("setup operation %d (%v) comes after %v, which must follow it", i, op.Code, p[i-1].Code)
		}
		if err := op.check(); err != nil {
			return fmt.Errorf("setup operation %d (%v): %w", i, op.Code, err)
		}
		last = at
		counts[op.Code]++
	}
	for _, code := range exactlyOnce() {
		if counts[code] != 1 {
			return fmt.Errorf("setup needs exactly one %v operation, it has %d", code, counts[code])
		}
	}
	if n := counts[OpLandlock]; n > 1 || n != counts[OpLandlockEnforce] || n == 0 && counts[OpLandlockPath] > 0 {
		return errors.New("setup must make one Landlock ruleset and enforce it, or none")
	}
	if counts[OpProbe] != counts[OpLandlock] {
		return errors.New("setup must probe Landlock if it enforces it, and only then")
	}
	return nil
}

// phaseTree is the phase of all operations that build the tree or the network,
// which may be mixed. Others have phases of their own, in the order of their
// codes.
const phaseTree = 2 * int(OpDevpts)

func phase(code OpCode, last int) int {
	switch {
	case code <= OpDevpts, code == OpSocket, code == OpLocalRoutes:
		return phaseTree
	case code == OpJoinGroup:
		return phase(OpCgroupNS, last) - 1 // whose root is the group that PID 1 is in
	case code == OpReceiveFDs:
		return phase(OpSpawn, last) - 1 // the last that PID 1 waits for
	case code == OpRlimit && last >= phase(OpSpawn, 0):
		// A limit on descriptors may be lower than the numbers that setup
		// uses, so it may follow those in the program's process.
		return phase(OpPassFD, 0) + 1
	default:
		return 2 * int(code)
	}
}

func exactlyOnce() []OpCode {
	return []OpCode{
		OpPivot, OpRootReadOnly, OpNoNewPrivs, OpDropCaps, OpSpawn, OpStdio, OpChdir,
		OpFilter, OpExec,
	}
}

func (op Op) check() error {
	switch op.Code {
	case OpLandlockPath:
		if op.S1 == "" {
			return nil
		}
		return checkPath(op.S1)
	case OpMkdir, OpFile, OpTmpfs, OpProc, OpDevpts, OpChdir, OpProbe:
		return checkPath(op.S1)
	case OpSymlink:
		return errors.Join(checkPath(op.S1), checkText(op.S2))
	case OpBind:
		if op.S1 == "" {
			return checkPath(op.S2)
		}
		return errors.Join(checkPath(op.S1), checkPath(op.S2))
	case OpRlimit:
		if op.N2 > op.N3 {
			return fmt.Errorf("soft limit %d is above the hard limit %d", op.N2, op.N3)
		}
	case OpFilter:
		if n := len(op.Data); n == 0 || n%filterInstructionSize != 0 || n > maxFilter*filterInstructionSize {
			return fmt.Errorf("%d bytes are no filter of 1 to %d instructions", n, maxFilter)
		}
	case OpExec:
		return op.checkExec()
	case OpPivot, OpRootReadOnly, OpCgroupNS, OpNoNewPrivs, OpDropCaps, OpLandlock,
		OpLandlockEnforce, OpSpawn, OpStdio, OpPassFD, OpSocket, OpLocalRoutes, OpJoinGroup,
		OpReceiveFDs:
	case OpInvalid:
		return errors.New("it does nothing")
	default:
		return errors.New("the stage does not know it")
	}
	return nil
}

func (op Op) checkExec() error {
	words := uint64(bytes.Count(op.Data, []byte{0}))
	switch {
	case op.N1 == 0:
		return errors.New("a program has at least its own name as an argument")
	case words != op.N1+op.N2 || len(op.Data) == 0 || op.Data[len(op.Data)-1] != 0:
		return fmt.Errorf("data holds %d strings, not %d arguments and %d variables", words, op.N1, op.N2)
	}
	return checkPath(op.S1)
}

// checkPath accepts an absolute, clean path other than the root: the stage
// resolves paths without following links and makes what is missing.
func checkPath(name string) error {
	switch {
	case !path.IsAbs(name) || path.Clean(name) != name:
		return fmt.Errorf("%q is not an absolute and clean path", name)
	case len(name) >= maxPath:
		return fmt.Errorf("a path of %d bytes is longer than the kernel's limit of %d", len(name), maxPath-1)
	}
	return checkText(name)
}

func checkText(s string) error {
	if s == "" || strings.IndexByte(s, 0) >= 0 {
		return fmt.Errorf("%q is empty or holds a NUL", s)
	}
	return nil
}
