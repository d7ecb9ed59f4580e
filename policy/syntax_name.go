package policy

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/internal/nearest"
	"github.com/pysandbox/pysandbox/seccomp"
)

// Layers lists the names of the syscall layers, which plan fills with calls.
func Layers() []string {
	return []string{"base", "threads", "ipc", "files_write", "subprocess", "net", "server"}
}

// Limit names, as limits.best_effort has them: those that need more of the host
// than every host gives.
func degradable() []string {
	return []string{"cpu", "cpu_quota", "memory", "pids"}
}

// unknownName is an error about a word that should have been one of a list.
type unknownName struct {
	message string
	nearest string
}

func (e *unknownName) Error() string { return e.message }

// choiceSyntax is one of a few words.
func choiceSyntax(words ...string) syntax[string] {
	quoted := make([]string, len(words))
	for i, word := range words {
		quoted[i] = strconv.Quote(word)
	}
	noun := strings.Join(quoted[:len(quoted)-1], ", ") + " or " + quoted[len(quoted)-1]
	s := textSyntax(noun, func(_ source, text string) (string, error) {
		if !slices.Contains(words, text) {
			return "", &unknownName{fmt.Sprintf("expected %s, found %q", noun, text), nearest.Name(text, words)}
		}
		return text, nil
	}, plain)
	s.schema = func() map[string]any { return map[string]any{"enum": words} }
	return s
}

func plain(text string) string { return text }

func errnoSyntax() syntax[string] {
	s := textSyntax(`the name of an error such as "EACCES"`, func(_ source, text string) (string, error) {
		if !isErrno(text) {
			return "", &unknownName{fmt.Sprintf("no error is named %q", text), nearest.Name(text, errnoNames())}
		}
		return text, nil
	}, plain)
	s.schema = func() map[string]any { return map[string]any{"type": "string", "pattern": "^E[A-Z0-9]+$"} }
	return s
}

// errnos gives the name of every error that Linux has for programs (errno(3)),
// from EPERM to EHWPOISON.
func errnos(yield func(string) bool) {
	for number := unix.EPERM; number <= unix.EHWPOISON; number++ {
		if name := unix.ErrnoName(number); name != "" && !yield(name) {
			return
		}
	}
}

func isErrno(text string) bool {
	for name := range errnos {
		if name == text {
			return true
		}
	}
	return false
}

func errnoNames() []string {
	var names []string
	for name := range errnos {
		names = append(names, name)
	}
	return names
}

// syscallSyntax is the name of a system call.
func syscallSyntax() syntax[string] {
	return textSyntax("the name of a system call", func(_ source, text string) (string, error) {
		return text, checkSyscall(text, nil)
	}, plain)
}

// callOrLayerSyntax is the name of a system call or of a layer, for allowing it.
func callOrLayerSyntax() syntax[string] {
	return textSyntax("the name of a system call or layer", func(_ source, text string) (string, error) {
		if slices.Contains(Layers(), text) {
			return text, nil
		}
		if err := checkSyscall(text, Layers()); err != nil {
			return "", err
		}
		if reason := neverAllowed(text); reason != "" {
			return "", fmt.Errorf("%q is never allowed: %s", text, reason)
		}
		return text, nil
	}, plain)
}

// checkSyscall reports a name that no call has, with the nearest that one has.
func checkSyscall(name string, others []string) error {
	if _, known := seccomp.Number(name); known {
		return nil
	}
	names := slices.Clone(others)
	for _, number := range seccomp.Numbers() {
		names = append(names, seccomp.Name(number))
	}
	return &unknownName{fmt.Sprintf("no system call is named %q", name), nearest.Name(name, names)}
}

// neverAllowed says why a call is refused whatever the policy, or nothing.
func neverAllowed(name string) string {
	switch name {
	case "io_uring_setup", "io_uring_enter", "io_uring_register":
		return "its requests run past the filter"
	case "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "pidfd_getfd", "kcmp":
		return "it reaches into other processes"
	case "bpf", "perf_event_open", "userfaultfd", "kexec_load", "kexec_file_load", "init_module", "finit_module", "delete_module":
		return "it is a way into the kernel"
	case "keyctl", "add_key", "request_key":
		return "keys are not in a namespace"
	case "seccomp":
		return "a second listener would hide calls from the first"
	case "unshare", "setns", "clone3":
		return "it can make namespaces"
	case "mount", "umount2", "pivot_root", "chroot", "open_tree", "move_mount", "fsopen", "fsconfig", "fsmount", "fspick",
		"mount_setattr", "open_tree_attr", "open_by_handle_at", "name_to_handle_at":
		return "the mount tree is fixed"
	case "openat2":
		return "its mode is in memory, where no filter sees it"
	default:
		return ""
	}
}
