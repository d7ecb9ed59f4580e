package host

import (
	"io/fs"
	"os"
	"strconv"
	"strings"
)

// settings reads files of /proc, /sys and /etc. Paths are relative to the root
// of the file system, as io/fs wants them.
type settings struct {
	fs.FS
}

func hostSettings() settings { return settings{os.DirFS("/")} }

// text returns a file without surrounding space, and whether it can be read.
func (s settings) text(path string) (string, bool) {
	data, err := fs.ReadFile(s, path)
	return strings.TrimSpace(string(data)), err == nil
}

// number returns a file that holds one number, and whether it does.
func (s settings) number(path string) (int, bool) {
	text, ok := s.text(path)
	if !ok {
		return 0, false
	}
	number, err := strconv.Atoi(text)
	return number, err == nil
}

// is says whether a file holds exactly this number.
func (s settings) is(path string, want int) bool {
	number, ok := s.number(path)
	return ok && number == want
}
