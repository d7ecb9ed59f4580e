package seccomp

import "golang.org/x/sys/unix"

// OwnID is the only user id, and group id, that a sandbox's user namespace maps.
const OwnID = 1000

// unchanged is the id by which chown(2) and setresuid(2) leave one as it is.
const unchanged = intMask

// ownIDs lets a call through when each of the arguments is the program's own id or
// none. Of any other the kernel says EINVAL in a namespace that does not map it;
// outside an ordinary user gets EPERM, and that is what programs are ready for.
func ownIDs(t *table, why, call string, ids ...uint8) {
	alternatives := [][]Condition{nil}
	for _, arg := range ids {
		var longer [][]Condition
		for _, conditions := range alternatives {
			for _, id := range []uint32{OwnID, unchanged} {
				longer = append(longer, append(conditions[:len(conditions):len(conditions)], intIs(arg, id)))
			}
		}
		alternatives = longer
	}
	for _, conditions := range alternatives {
		t.allowIf(why, call, conditions...)
	}
	t.refuseQuietly("other ids are root's to give, as they are outside", unix.EPERM, call)
}
