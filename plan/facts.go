package plan

// Facts are what the kernel and the control groups of a host offer.
type Facts struct {
	Root     bool // the supervisor starts as uid 0
	Landlock int  // ABI; 0 without Landlock

	// Missing has, for each host.Feature that the host lacks, why and what fixes
	// it.
	Missing map[string]string

	FilterFlags uint64 // with which the kernel loads a filter (seccomp.LoadFlags)

	// What a control group for the sandbox can limit or count.
	CgroupMemory, CgroupPids, CgroupCPU bool

	// HardLimits are the supervisor's own hard limits by name ("RLIMIT_NOFILE");
	// a limit that is not named is infinite.
	HardLimits map[string]uint64
}
