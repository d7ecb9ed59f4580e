package namespaces

import (
	"fmt"
	"strconv"
	"strings"
)

// String returns the name of the operation as golden files and errors have it.
func (c OpCode) String() string {
	names := [OpCount]string{
		OpInvalid: "invalid", OpMkdir: "mkdir", OpFile: "file", OpSymlink: "symlink",
		OpBind: "bind", OpTmpfs: "tmpfs", OpProc: "proc", OpDevpts: "devpts",
		OpPivot: "pivot", OpRootReadOnly: "root-read-only", OpCgroupNS: "cgroup-namespace",
		OpRlimit: "rlimit", OpNoNewPrivs: "no-new-privileges", OpDropCaps: "drop-capabilities",
		OpLandlock: "landlock", OpLandlockPath: "landlock-path", OpLandlockEnforce: "landlock-enforce",
		OpSpawn: "spawn", OpStdio: "stdio", OpPassFD: "pass-fd", OpChdir: "chdir",
		OpProbe: "probe", OpFilter: "filter", OpExec: "exec", OpSocket: "socket",
		OpLocalRoutes: "local-routes", OpJoinGroup: "join-group", OpReceiveFDs: "receive-descriptors",
	}
	if c < OpCount {
		return names[c]
	}
	return "operation " + strconv.Itoa(int(c))
}

// String returns one line for each operation, as golden files hold it.
func (p Program) String() string {
	var b strings.Builder
	for _, op := range p {
		b.WriteString(op.String())
		b.WriteByte('\n')
	}
	return b.String()
}

// String returns the operation on one line. Bulk data is given by its size.
func (op Op) String() string {
	words := []string{op.Code.String()}
	if details := op.details(); details != "" {
		words = append(words, details)
	}
	return strings.Join(append(words, op.flagNames()...), " ")
}

func (op Op) details() string {
	switch op.Code {
	case OpMkdir:
		return fmt.Sprintf("%s mode=%04o", quote(op.S1), op.N1)
	case OpFile:
		return fmt.Sprintf("%s mode=%04o bytes=%d", quote(op.S1), op.N1, len(op.Data))
	case OpSymlink:
		return quote(op.S1) + " -> " + quote(op.S2)
	case OpBind:
		return op.bindDetails()
	case OpTmpfs:
		return fmt.Sprintf("%s bytes=%d inodes=%d mode=%04o", quote(op.S1), op.N1, op.N2, op.N3)
	case OpProc:
		return quote(op.S1) + " visible=" + strings.Join(splitWords(op.Data), ",")
	case OpDevpts, OpChdir, OpProbe:
		return quote(op.S1)
	case OpRlimit:
		return fmt.Sprintf("%s soft=%s hard=%s", RlimitName(op.N1), rlimitValue(op.N2), rlimitValue(op.N3))
	case OpLandlock:
		return LandlockHandled{LandlockRights(op.N1), LandlockNet(op.N2), LandlockScopes(op.N3)}.String()
	case OpLandlockPath:
		return quote(op.S1) + " " + LandlockRights(op.N1).String()
	case OpSocket:
		return fmt.Sprintf("domain=%d type=%d protocol=%d", op.N1, op.N2, op.N3)
	case OpReceiveFDs:
		return fmt.Sprintf("donated %d more", op.N1)
	case OpStdio:
		return fmt.Sprintf("donated %d %d %d", op.N1, op.N2, op.N3)
	case OpPassFD:
		return fmt.Sprintf("donated %d as %d", op.N1, op.N2)
	case OpFilter:
		return fmt.Sprintf("instructions=%d flags=%#x", len(op.Data)/filterInstructionSize, op.N1)
	case OpExec:
		return op.execDetails()
	default:
		return ""
	}
}

func (op Op) bindDetails() string {
	switch op.S1 {
	case op.S2:
		return quote(op.S2)
	case "":
		return fmt.Sprintf("donated %d as %s", op.N1, quote(op.S2))
	default:
		return quote(op.S1) + " as " + quote(op.S2)
	}
}

func (op Op) execDetails() string {
	args, env := op.ExecArgs()
	return fmt.Sprintf("%s args=%q env=%q", quote(op.S1), args, env)
}

func (op Op) flagNames() []string {
	all := []struct {
		flag uint16
		name string
	}{
		{FlagReadOnly, "ro"},
		{FlagNoExec, "noexec"},
		{FlagDev, "dev"},
		{FlagTTY, "tty"},
		{FlagNoSymfollow, "nosymfollow"},
		{FlagKeep, "keep"},
		{FlagPin, "pin"},
	}
	var names []string
	for _, f := range all {
		if op.Flags&f.flag != 0 {
			names = append(names, f.name)
		}
	}
	return names
}

// quote leaves ordinary paths bare, so that golden files are easy to read, and
// escapes what could forge another line.
func quote(s string) string {
	if s == "" || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == '"' || r == '\\' || r >= 0x7f }) {
		return strconv.Quote(s)
	}
	return s
}

// splitWords splits NUL-terminated strings.
func splitWords(data []byte) []string {
	text := strings.TrimSuffix(string(data), "\x00")
	if text == "" && len(data) == 0 {
		return nil
	}
	return strings.Split(text, "\x00")
}
