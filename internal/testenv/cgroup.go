package testenv

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// cgroupRoot is where every distribution mounts its control groups
// (cgroups(7)).
const cgroupRoot = "/sys/fs/cgroup"

// probeCgroup makes and removes a group below this process's own, or below the
// root of the hierarchy, that has the controller.
func probeCgroup(controller string) error {
	membership, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return err
	}
	parents, err := cgroupParents(string(membership), controller)
	if err != nil {
		return err
	}
	var last error
	for _, parent := range parents {
		dir, err := os.MkdirTemp(parent, "pysandbox-probe-")
		if err != nil {
			last = err
			continue
		}
		files, err := filepath.Glob(filepath.Join(dir, controller+".*"))
		if removeErr := os.Remove(dir); err == nil {
			err = removeErr
		}
		if err != nil {
			return err
		}
		if len(files) > 0 {
			return nil
		}
		last = fmt.Errorf("a group made in %s has no %s controller", parent, controller)
	}
	return fmt.Errorf("make a group with the %s controller: %w", controller, last)
}

// cgroupParents returns the directories in which a group with the controller
// may be made, nearest first. Lines of /proc/self/cgroup have the form
// "hierarchy:controllers:path"; version 2 has hierarchy 0 and no controllers.
func cgroupParents(membership, controller string) ([]string, error) {
	for line := range strings.Lines(membership) {
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(fields) != 3 {
			return nil, fmt.Errorf("unexpected line %q in /proc/self/cgroup", line)
		}
		mount := filepath.Join(cgroupRoot, controller)
		switch {
		case slices.Contains(strings.Split(fields[1], ","), controller):
		case fields[0] == "0" && fields[1] == "" && hasController(controller):
			mount = cgroupRoot
		default:
			continue
		}
		own := filepath.Join(mount, fields[2])
		return slices.Compact([]string{own, mount}), nil
	}
	return nil, fmt.Errorf("no hierarchy of this process has the %s controller", controller)
}

// hasController reports whether the version 2 hierarchy offers the controller.
func hasController(controller string) bool {
	list, err := os.ReadFile(filepath.Join(cgroupRoot, "cgroup.controllers"))
	return err == nil && slices.Contains(strings.Fields(string(list)), controller)
}
