package script

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"
)

type script = testscript.TestScript

// commands are the words that the scripts have beside those of testscript:
//
//	exits N program [args]      run program; its exit status must be N
//	signal NAME                 send a signal to the background program
//	await FILE                  wait until FILE exists
//	[!] field FILE PATH REGEXP  a value of a JSON file or of its last line
//	serve VAR                   listen on the loopback; VAR becomes the port
func commands() map[string]func(*script, bool, []string) {
	return map[string]func(*script, bool, []string){
		"exits":  exits,
		"signal": signal,
		"await":  await,
		"field":  field,
		"serve":  serve,
	}
}

func exits(ts *script, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits N program [args]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("%v", err)
		}
		if got = exit.ExitCode(); got < 0 {
			ts.Fatalf("%s ended by itself with %v, want exit status %d", args[1], exit, want)
		}
	}
	if got != want {
		ts.Fatalf("%s exited with %d, want %d", args[1], got, want)
	}
}

func signal(ts *script, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: signal NAME")
	}
	number := unix.SignalNum(args[0])
	running := ts.BackgroundCmds()
	if number == 0 || len(running) == 0 {
		ts.Fatalf("signal %s: no such signal or nothing in the background", args[0])
	}
	ts.Check(running[len(running)-1].Process.Signal(number))
}

func await(ts *script, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: await FILE")
	}
	deadline := time.Now().Add(20 * time.Second)
	for time.Now().Before(deadline) {
		if _, err := os.Stat(ts.MkAbs(args[0])); err == nil {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	ts.Fatalf("%s did not appear", args[0])
}

func field(ts *script, neg bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: field FILE PATH REGEXP")
	}
	lines := strings.Split(strings.TrimSpace(ts.ReadFile(args[0])), "\n")
	var document any
	if err := json.Unmarshal([]byte(strings.Join(lines, "\n")), &document); err != nil {
		ts.Check(json.Unmarshal([]byte(lines[len(lines)-1]), &document))
	}
	value, err := lookUp(document, args[1])
	ts.Check(err)
	if pattern := regexp.MustCompile("^(?:" + args[2] + ")$"); pattern.MatchString(value) == neg {
		ts.Fatalf("%s in %s is %s", args[1], args[0], value)
	}
}

// lookUp follows a path such as "violations.0.target" into a decoded JSON
// document. An object's or an array's text is its length.
func lookUp(document any, path string) (string, error) {
	at := document
	for part := range strings.SplitSeq(path, ".") {
		switch v := at.(type) {
		case map[string]any:
			member, ok := v[part]
			if !ok {
				return "", fmt.Errorf("no member %q on the way to %s", part, path)
			}
			at = member
		case []any:
			index, err := strconv.Atoi(part)
			if err != nil || index >= len(v) {
				return "", fmt.Errorf("no element %q on the way to %s", part, path)
			}
			at = v[index]
		default:
			return "", fmt.Errorf("%v has no members on the way to %s", at, path)
		}
	}
	switch v := at.(type) {
	case []any, map[string]any:
		return strconv.Itoa(reflect.ValueOf(v).Len()), nil
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), nil
	default:
		return fmt.Sprint(v), nil
	}
}

// serve greets every client with one line and closes the connection.
func serve(ts *script, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: serve VAR")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { _ = listener.Close() })
	_, port, err := net.SplitHostPort(listener.Addr().String())
	ts.Check(err)
	ts.Setenv(args[0], port)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Write([]byte("hello from the host\n"))
			_ = conn.Close()
		}
	}()
}
