package shim

// #include "begin.h"
import "C"

import (
	"fmt"
	"os"
	"syscall"
)

// TakeLease leases a host uid for one sandbox. The lease lasts until every copy
// of the returned file is closed; the kernel releases it when its holders die.
// Needs root.
func TakeLease() (lease *os.File, uid int, err error) {
	var id C.uint32_t
	fd := C.lease_take(C.PSB_LEASE_FIRST, C.PSB_LEASE_COUNT, &id)
	if fd < 0 {
		return nil, 0, &BeginError{StepLease, syscall.Errno(-fd)}
	}
	return os.NewFile(uintptr(fd), "uid lease"), int(id), nil
}

// IDMapNamespace opens a user namespace for mount_setattr(2) in which files that
// belong to uid:gid on disk belong to host uid and gid id. Needs root.
func IDMapNamespace(uid, gid, id int) (*os.File, error) {
	fd := C.idmap_namespace(C.uint32_t(uid), C.uint32_t(gid), C.uint32_t(id))
	if fd < 0 {
		return nil, fmt.Errorf("make a user namespace that maps %d:%d to %d: %w",
			uid, gid, id, syscall.Errno(-fd))
	}
	return os.NewFile(uintptr(fd), "idmap namespace"), nil
}
