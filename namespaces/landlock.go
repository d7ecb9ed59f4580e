package namespaces

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
