package broker

import (
	"net"
	"slices"
	"testing"

	"github.com/pysandbox/pysandbox/audit"
)

// denials lists what was denied, in order.
func denials(records []audit.Record) []string {
	var list []string
	for _, r := range records {
		if r.Verdict == audit.Deny {
			list = append(list, r.Operation+" "+r.Target+" "+r.Rule+" "+r.Errno+" "+r.Hint)
		}
	}
	return list
}

const spawnPrelude = prelude + `
import subprocess
def run(*argv, **more):
    try:
        return subprocess.run(argv, capture_output=True, **more).returncode
    except OSError as e:
        return type(e).__name__
`

func TestSpawnIsExplained(t *testing.T) {
	output, records := runPython(t, Config{}, spawnPrelude+`
print('system', run('/usr/bin/true'), run('true'))
print('missing', run('/usr/bin/no-such-program'), run('no-such-program'))
print('itself', run(sys.executable, '-c', ''), run('python3', '-I', '-S', '-c', ''))
os.chdir('/usr/bin')
print('relative', run('./true'), run('../bin/../bin/true'), flush=True)
fd = os.open('/usr/bin/true', os.O_RDONLY)
if os.fork() == 0:
    print('descriptor', outcome(os.execve, fd, ['true'], {}), flush=True)
    os._exit(0)
os.wait()
`)
	want := `system PermissionError PermissionError
missing FileNotFoundError FileNotFoundError
itself 0 0
relative PermissionError PermissionError
descriptor EACCES
`
	if output != want {
		t.Errorf("output:\n%s\nwant:\n%s", output, want)
	}
	got := slices.Compact(denials(records))
	if !slices.Equal(got, []string{"execve /usr/bin/true process.spawn EACCES --allow-spawn=/usr/bin/true"}) {
		t.Errorf("denials: %q", got)
	}
}

func TestNamedProgramsMaySpawn(t *testing.T) {
	for name, spawn := range map[string]Spawn{
		"file":      {Paths: []string{"/usr/bin/true"}},
		"directory": {Paths: []string{"/usr/bin"}},
		"any":       {Any: true},
	} {
		t.Run(name, func(t *testing.T) {
			output, records := runPython(t, Config{Spawn: spawn}, spawnPrelude+"print(run('true'), run('/usr/bin/true'))")
			if output != "0 0\n" {
				t.Error(output)
			}
			if denied := denials(records); len(denied) != 0 {
				t.Errorf("denials: %q", denied)
			}
			if n := countVerdict(records, audit.Allow); n != 2 {
				t.Errorf("%d records of 2 programs: %+v", n, records)
			}
		})
	}
}

// TestProgramOutsideTheSystemIsNotLookedUp keeps the errno of execve from
// telling which files the host has.
func TestProgramOutsideTheSystemIsNotLookedUp(t *testing.T) {
	for file, want := range map[string]bool{
		"/usr/bin/true":             true,
		"/usr/bin/no-such-program":  false,
		"/usr/bin/../../etc/passwd": false,
		"/etc/passwd":               false,
		"/proc/self/exe":            false,
		"true":                      false,
	} {
		if got := isSystemProgram(file); got != want {
			t.Errorf("isSystemProgram(%q) = %v", file, got)
		}
	}
}

func TestRefusedCallsAreExplained(t *testing.T) {
	output, records := runPython(t, Config{}, prelude+`
print(LIBC.personality(0xffffffff), errno.errorcode[ctypes.get_errno()])
print(LIBC.mount(b'none', b'/tmp', b'tmpfs', 0, None), errno.errorcode[ctypes.get_errno()])
a, b = socket.socketpair()
print(outcome(a.sendmsg, [b'x'], [], socket.MSG_OOB), outcome(a.send, b'x', socket.MSG_OOB))
`)
	if output != "-1 EPERM\n-1 EPERM\nENOTSUP ENOTSUP\n" {
		t.Error(output)
	}
	want := []string{
		`personality  seccomp.default EPERM syscalls.allow = ["personality"]`,
		`mount  seccomp.default EPERM `,
		`sendmsg  seccomp.default EOPNOTSUPP `,
	}
	if got := denials(records); !slices.Equal(got, want) {
		t.Errorf("denials: %q", got)
	}
}

// TestManyThreadsSpawnAtOnce starts programs by vfork(2) and posix_spawn(3) in
// several threads that also connect: the broker must take none for another.
func TestManyThreadsSpawnAtOnce(t *testing.T) {
	s := listenAt(t, outside4)
	config := allowing(t, net.JoinHostPort(s.host, s.port))
	config.Spawn.Any = true
	output, _ := runPython(t, config, spawnPrelude+`
import threading
server, results = (sys.argv[1], int(sys.argv[2])), []
def work():
    for _ in range(10):
        pid = os.posix_spawn('/usr/bin/true', ['true'], {})
        with connected(server) as c:
            c.sendall(b'ping')
            results.append((run('/usr/bin/true'), c.recv(4), os.waitpid(pid, 0)[1]))
threads = [threading.Thread(target=work) for _ in range(8)]
for t in threads: t.start()
for t in threads: t.join()
print(len(results), set(results))
`, s.host, s.port)
	if output != "80 {(0, b'ping', 0)}\n" {
		t.Error(output)
	}
}
