package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// account is a destination in which the account of a run is kept.
type account struct {
	what string   // as errors name it, such as "the report"
	path string   // that the operator wrote; empty for a descriptor or device
	file *os.File // what will be written to; nil if path is replaced at the end
}

// paths lists the names by which the program could reach an account. A file with more
// names than one may have any of them where the program writes: it is refused.
func (a account) paths() ([]string, error) {
	var names []string
	if a.path != "" {
		names = append(names, a.path)
	}
	if a.file == nil {
		return names, nil
	}
	info, err := a.file.Stat()
	if err != nil {
		return nil, fmt.Errorf("look at %s: %w", a.what, err)
	}
	links := info.Sys().(*syscall.Stat_t).Nlink
	if info.Mode().IsRegular() && links > 1 {
		return nil, fmt.Errorf("%s is a file with %d names (hard links), and what one of them leads to may be the program's to write; choose another file", a.what, links)
	}
	if a.path != "" || links == 0 {
		return names, nil
	}
	name, err := a.nameOf(info)
	if name != "" {
		names = append(names, name)
	}
	return names, err
}

// nameOf finds the name of an open file (proc(5), /proc/self/fd); pipes and sockets
// have none.
func (a account) nameOf(info fs.FileInfo) (string, error) {
	name, err := os.Readlink("/proc/self/fd/" + strconv.Itoa(int(a.file.Fd())))
	if err != nil {
		return "", fmt.Errorf("find the name of %s: %w", a.what, err)
	}
	if !strings.HasPrefix(name, "/") {
		return "", nil
	}
	there, err := os.Stat(name)
	if err == nil && !os.SameFile(info, there) {
		err = errors.New("another file stands there")
	}
	if err != nil && info.Mode().IsRegular() {
		return "", fmt.Errorf("find %s at %s, to keep the program from it: %w", a.what, name, err)
	}
	return name, nil
}
