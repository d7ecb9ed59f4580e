package namespaces

import "slices"

// Landlock is the ruleset of the sandbox. Network access is handled with zero
// rules: the supervisor, outside the domain, performs what is permitted.
type Landlock struct {
	Paths []LandlockPath
}

// LandlockPath grants rights below one path inside the sandbox.
type LandlockPath struct {
	Path   string
	Rights LandlockRights
}

// LandlockRights is a set of LANDLOCK_ACCESS_FS_* bits (landlock(7)).
type LandlockRights uint64

// The rights, in the order of linux/landlock.h. The ABI that brought a right
// stands where it is not 1.
const (
	RightExecute LandlockRights = 1 << iota
	RightWriteFile
	RightReadFile
	RightReadDir
	RightRemoveDir
	RightRemoveFile
	RightMakeChar
	RightMakeDir
	RightMakeReg
	RightMakeSock
	RightMakeFifo
	RightMakeBlock
	RightMakeSym
	RightRefer    // ABI 2: rename and link between directories
	RightTruncate // ABI 3
	RightIoctlDev // ABI 5: ioctl on device nodes
)

// The sets that rules are made of. None of them makes device nodes.
const (
	RightsList      = RightReadDir
	RightsReadOnly  = RightReadFile | RightReadDir
	RightsReadWrite = RightsReadOnly | RightWriteFile | RightTruncate | RightRefer |
		RightRemoveDir | RightRemoveFile | RightMakeDir | RightMakeReg | RightMakeSock |
		RightMakeFifo | RightMakeSym
	RightsDevices = RightsReadOnly | RightWriteFile | RightTruncate | RightIoctlDev
)

// LandlockNet is a set of LANDLOCK_ACCESS_NET_* bits; LandlockScopes one of
// LANDLOCK_SCOPE_* bits.
type (
	LandlockNet    uint64
	LandlockScopes uint64
)

// The network rights (ABI 4) and the scopes (ABI 6).
const (
	NetBindTCP LandlockNet = 1 << iota
	NetConnectTCP
)

const (
	ScopeAbstractUnix LandlockScopes = 1 << iota
	ScopeSignal
)

// LandlockHandled is what a ruleset governs: without a rule it is refused.
type LandlockHandled struct {
	Files  LandlockRights
	Net    LandlockNet
	Scopes LandlockScopes
}

// Handled returns all that a kernel with the given Landlock ABI can govern. The
// kernel refuses a ruleset with a bit that it does not know
// (landlock_create_ruleset(2)), and below ABI 2 it denies RightRefer without
// being asked. For ABI 0, a kernel without Landlock, nothing is governed.
func Handled(abi int) LandlockHandled {
	var h LandlockHandled
	if abi >= 1 {
		h.Files = RightRefer - 1
	}
	if abi >= 2 {
		h.Files |= RightRefer
	}
	if abi >= 3 {
		h.Files |= RightTruncate
	}
	if abi >= 4 {
		h.Net = NetBindTCP | NetConnectTCP
	}
	if abi >= 5 {
		h.Files |= RightIoctlDev
	}
	if abi >= 6 {
		h.Scopes = ScopeAbstractUnix | ScopeSignal
	}
	return h
}

// Operations returns the operations that build and enforce the ruleset on a
// kernel with the given ABI: rules with a directory before what lies in it, masked
// to what the ABI governs, and none that grants only what those above it grant.
func (l Landlock) Operations(abi int) Program {
	handled := Handled(abi)
	if handled == (LandlockHandled{}) {
		return nil
	}
	p := Program{{
		Code: OpLandlock,
		N1:   uint64(handled.Files), N2: uint64(handled.Net), N3: uint64(handled.Scopes),
	}}
	var above []LandlockPath // the rules on the way to this one, with all that they grant
	for _, rule := range l.merged() {
		for len(above) > 0 && !isBelow(rule.Path, above[len(above)-1].Path) {
			above = above[:len(above)-1]
		}
		var granted LandlockRights
		if len(above) > 0 {
			granted = above[len(above)-1].Rights
		}
		rights := rule.Rights & handled.Files
		if rights&^granted == 0 {
			continue
		}
		p = append(p, Op{Code: OpLandlockPath, S1: rule.Path, N1: uint64(rights)})
		above = append(above, LandlockPath{Path: rule.Path, Rights: granted | rights})
	}
	return append(p, Op{Code: OpLandlockEnforce})
}

// merged joins the rules of equal paths, a directory before what lies in it.
// Landlock grants the union of all rules on the way to a file (landlock(7)).
func (l Landlock) merged() []LandlockPath {
	paths := slices.Clone(l.Paths)
	slices.SortStableFunc(paths, func(a, b LandlockPath) int { return ComparePaths(a.Path, b.Path) })
	var out []LandlockPath
	for _, p := range paths {
		if n := len(out); n > 0 && out[n-1].Path == p.Path {
			out[n-1].Rights |= p.Rights
			continue
		}
		out = append(out, p)
	}
	return out
}
