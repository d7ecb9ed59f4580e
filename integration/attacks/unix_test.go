package attacks

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestLocalSockets(t *testing.T) { runAttacks(t, localSockets()) }

// localSockets are ways to servers of the host on AF_UNIX.
func localSockets() []attack {
	return []attack{
		{
			program: "unix_path",
			hows: []string{
				"plain", "relative", "symlink", "descriptor", "opath", "root",
				"datagram", "datagram sendmsg", "datagram connect",
			},
			set: serverOnPath("--allow-read="),
		},
		{
			program: "unix_path",
			hows:    []string{"plain", "rename", "hardlink", "symlink", "datagram", "datagram sendmsg"},
			set:     serverOnPath("--allow-write="), name: "unix_path_writable",
		},
		{
			program: "unix_path",
			hows:    []string{"plain", "datagram", "datagram sendmsg"},
			set:     serverOnPath(""), name: "unix_path_hidden",
		},
		{program: "unix_oob", hows: []string{"send", "sendmsg"}},
		{program: "unix_abstract", hows: []string{"stream", "datagram"}, set: serverOnAbstractName},
	}
}

// serverOnPath is a scene with a server of the host's in a directory that the
// flag, if there is one, makes visible.
func serverOnPath(flag string) func(*testing.T, account, string) *scene {
	return func(t *testing.T, who account, how string) *scene {
		t.Helper()
		s := newScene(t, who)
		path := filepath.Join(s.dir, "server")
		s.target["path"] = path
		if flag != "" {
			s.flags = []string{flag + s.dir}
		}
		s.happened = serveLocal(t, how, path)
		open(t, path, who)
		return s
	}
}

// open lets everyone connect to a socket.
func open(t *testing.T, path string, who account) {
	t.Helper()
	own(t, path, who)
	if err := os.Chmod(path, 0o777); err != nil {
		t.Fatal(err)
	}
}

func serverOnAbstractName(t *testing.T, who account, how string) *scene {
	t.Helper()
	s := newScene(t, who)
	s.target["path"] = "attack" + filepath.Base(s.dir)
	s.happened = serveLocal(t, how, "@"+s.target["path"].(string))
	return s
}

// serveLocal makes a server and returns whether somebody has come.
func serveLocal(t *testing.T, how, path string) func(ended) bool {
	t.Helper()
	if strings.HasPrefix(how, "datagram") {
		conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		return func(run ended) bool {
			_ = conn.SetReadDeadline(time.Now().Add(run.grace()))
			n, _ := conn.Read(make([]byte, 16))
			return n > 0
		}
	}
	listener := listenLocal(t, path)
	return func(run ended) bool {
		_ = listener.SetDeadline(time.Now().Add(run.grace()))
		conn, err := listener.Accept()
		if err != nil {
			return false
		}
		return conn.Close() == nil
	}
}

func listenLocal(t *testing.T, path string) *net.UnixListener {
	t.Helper()
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return listener
}
