package shim

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/pysandbox/pysandbox/namespaces"
)

// The C header and the Go constants are written twice; this holds them together.
func TestOpCodesMatchHeader(t *testing.T) {
	want := map[string]namespaces.OpCode{
		"INVALID": namespaces.OpInvalid, "MKDIR": namespaces.OpMkdir, "FILE": namespaces.OpFile,
		"SYMLINK": namespaces.OpSymlink, "BIND": namespaces.OpBind, "TMPFS": namespaces.OpTmpfs,
		"PROC": namespaces.OpProc, "DEVPTS": namespaces.OpDevpts, "PIVOT": namespaces.OpPivot,
		"ROOT_READ_ONLY": namespaces.OpRootReadOnly, "CGROUP_NS": namespaces.OpCgroupNS,
		"RLIMIT": namespaces.OpRlimit, "NO_NEW_PRIVS": namespaces.OpNoNewPrivs,
		"DROP_CAPS": namespaces.OpDropCaps, "LANDLOCK": namespaces.OpLandlock,
		"LANDLOCK_PATH": namespaces.OpLandlockPath, "LANDLOCK_ENFORCE": namespaces.OpLandlockEnforce,
		"SPAWN": namespaces.OpSpawn, "STDIO": namespaces.OpStdio, "PASS_FD": namespaces.OpPassFD,
		"CHDIR": namespaces.OpChdir, "PROBE": namespaces.OpProbe, "FILTER": namespaces.OpFilter,
		"EXEC": namespaces.OpExec, "SOCKET": namespaces.OpSocket, "LOCAL_ROUTES": namespaces.OpLocalRoutes,
		"JOIN_GROUP": namespaces.OpJoinGroup, "RECEIVE_FDS": namespaces.OpReceiveFDs,
	}
	names := enumNames(t, "psb_opcode", "PSB_OP_")
	if len(names) != len(want)+1 || names[len(names)-1] != "COUNT" {
		t.Fatalf("wire.h has %v, Go knows %d operations", names, len(want))
	}
	for i, name := range names[:len(names)-1] {
		if code, ok := want[name]; !ok || int(code) != i {
			t.Errorf("PSB_OP_%s is %d in wire.h and %d in namespaces", name, i, code)
		}
	}
}

// enumNames returns the members of an enum of wire.h in order, without prefix.
func enumNames(t *testing.T, enum, prefix string) []string {
	t.Helper()
	text, err := os.ReadFile("wire.h")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(text), "enum "+enum+" {")
	if !ok {
		t.Fatalf("wire.h has no enum %s", enum)
	}
	body, _, _ := strings.Cut(rest, "}")
	var names []string
	for _, m := range regexp.MustCompile(`(?m)^\t`+prefix+`(\w+),`).FindAllStringSubmatch(body, -1) {
		names = append(names, m[1])
	}
	return names
}

var update = flag.Bool("update", false, "write skeleton.h again")

// The stage has the skeleton embedded; it must be what namespaces says.
func TestSkeletonIsCurrent(t *testing.T) {
	plan, err := namespaces.Skeleton().Encode()
	if err != nil {
		t.Fatal(err)
	}
	var want bytes.Buffer
	for i, b := range plan {
		fmt.Fprintf(&want, "%d,", b)
		if i%24 == 23 || i == len(plan)-1 {
			want.WriteByte('\n')
		}
	}
	if *update {
		if err := os.WriteFile("skeleton.h", want.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile("skeleton.h")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want.Bytes()) {
		t.Error("skeleton.h is not what namespaces.Skeleton encodes; run go test ./cpython-shim -update")
	}
}
