package shim

// #include "begin.h"
import "C"

import (
	"errors"
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

// Source is the host side of a bind. With Map, files that belong to UID:GID on
// disk belong to the sandbox's host uid.
type Source struct {
	Path     string
	Map      bool
	UID, GID uint32
}

// OpenSources clones the trees at the sources' paths, detached from any namespace
// (open_tree(2)), for a sandbox with host uid and gid id. The caller closes them.
// Needs root.
func OpenSources(sources []Source, id int) ([]int, error) {
	maps := C.struct_psb_idmaps{id: C.uint32_t(id)}
	defer C.idmaps_close(&maps)
	opened := make([]int, 0, len(sources))
	for _, s := range sources {
		fd, err := openSource(s, &maps)
		if err != nil {
			for _, fd := range opened {
				_ = syscall.Close(fd)
			}
			return nil, fmt.Errorf("open %s for the sandbox: %w", s.Path, err)
		}
		opened = append(opened, fd)
	}
	return opened, nil
}

func openSource(s Source, maps *C.struct_psb_idmaps) (int, error) {
	path := C.CString(s.Path)
	defer freeString(path)
	from := C.struct_psb_source{path: path, uid: C.uint32_t(s.UID), gid: C.uint32_t(s.GID)}
	if s.Map {
		from._map = 1
	}
	var step C.int
	fd := C.source_open(&from, maps, &step)
	if fd >= 0 {
		return int(fd), nil
	}
	err := syscall.Errno(-fd)
	switch {
	case step == C.PSB_SOURCE_USERNS:
		return -1, fmt.Errorf("make a user namespace that maps %d:%d to %d (needs CAP_SYS_PTRACE): %w", s.UID, s.GID, maps.id, err)
	case step == C.PSB_SOURCE_MAP:
		return -1, fmt.Errorf("map owner %d:%d to %d (the filesystem must support idmapped mounts, which overlayfs, "+
			"that of a container's image, does not; run as an ordinary user, or show a volume): %w", s.UID, s.GID, maps.id, err)
	case err == syscall.ESTALE:
		return -1, errors.New("its owner has changed since the plan was made; try again")
	default:
		return -1, err
	}
}
