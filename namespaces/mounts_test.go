package namespaces_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/pysandbox/pysandbox/namespaces"
)

const (
	ro       = namespaces.FlagReadOnly
	noexec   = namespaces.FlagNoExec
	readOnly = ro | noexec
)

func same(path string, flags uint16) namespaces.Bind {
	return namespaces.Bind{Source: path, Target: path, Flags: flags}
}

func TestTreeOperations(t *testing.T) {
	tests := map[string]struct {
		tree namespaces.Tree
		want []string
	}{
		"parents first": {
			namespaces.Tree{
				Binds: []namespaces.Bind{same("/tmp/a/b", readOnly), same("/usr/lib/python3.11", ro), same("/tmp/a", noexec)},
				Tmpfs: []namespaces.Tmpfs{{Path: "/tmp", Mode: 0o1777}},
			},
			[]string{
				"tmpfs /tmp bytes=0 inodes=0 mode=1777", "bind /tmp/a noexec", "bind /tmp/a/b ro noexec",
				"bind /usr/lib/python3.11 ro",
			},
		},
		"a sibling that sorts between": {
			namespaces.Tree{Binds: []namespaces.Bind{same("/a/b", ro), same("/a-b", ro), same("/a", ro)}},
			[]string{"bind /a ro", "bind /a-b ro"},
		},
		"covered with the same flags": {
			namespaces.Tree{Binds: []namespaces.Bind{same("/a", ro), same("/a/b", ro), same("/a/b/c", readOnly), same("/a/b/c/d", ro)}},
			[]string{"bind /a ro", "bind /a/b/c ro noexec", "bind /a/b/c/d ro"},
		},
		"not covered by another source": {
			namespaces.Tree{Binds: []namespaces.Bind{{Source: "/x", Target: "/a", Flags: ro}, same("/a/b", ro)}},
			[]string{"bind /x as /a ro", "bind /a/b ro"},
		},
		"covered through another target": {
			namespaces.Tree{Binds: []namespaces.Bind{{Source: "/x", Target: "/a", Flags: ro}, {Source: "/x/b", Target: "/a/b", Flags: ro}}},
			[]string{"bind /x as /a ro"},
		},
		"below a writable one nothing can be renamed": {
			namespaces.Tree{Binds: []namespaces.Bind{
				same("/w", noexec), same("/w/a/b/c", readOnly), same("/w/a/d", readOnly), same("/w/e", readOnly), same("/w/a/b/c/f/g", noexec),
			}},
			[]string{
				"bind /w noexec", "bind /w/a noexec pin", "bind /w/a/b noexec pin", "bind /w/a/b/c ro noexec", "bind /w/a/b/c/f/g noexec",
				"bind /w/a/d ro noexec", "bind /w/e ro noexec",
			},
		},
		"pins of another source": {
			namespaces.Tree{Binds: []namespaces.Bind{{Source: "/x", Target: "/w"}, same("/w/a/b", ro)}},
			[]string{"bind /x as /w", "bind /x/a as /w/a pin", "bind /w/a/b ro"},
		},
		"one path twice": {
			namespaces.Tree{Binds: []namespaces.Bind{same("/a", readOnly), same("/a", noexec), same("/b", ro), same("/b", readOnly)}},
			[]string{"bind /a noexec", "bind /b ro"},
		},
		"links": {
			namespaces.Tree{
				Binds: []namespaces.Bind{same("/usr/lib", ro)},
				Links: []namespaces.Link{{Path: "/lib", Text: "usr/lib"}, {Path: "/usr/lib/a", Text: "b"}, {Path: "/lib", Text: "usr/lib"}},
			},
			[]string{"symlink /lib -> usr/lib", "bind /usr/lib ro"},
		},
		"nothing": {namespaces.Tree{}, nil},
	}
	for name, test := range tests {
		for range 20 {
			shuffle(test.tree)
			got, err := test.tree.Operations()
			if err != nil {
				t.Errorf("%s: %v", name, err)
				break
			}
			if want := strings.Join(append(test.want, ""), "\n"); got.String() != want {
				t.Errorf("%s: got\n%swant\n%s", name, got, want)
				break
			}
		}
	}
}

// shuffle changes the order of what is wanted, which must not matter.
func shuffle(tree namespaces.Tree) {
	rand.Shuffle(len(tree.Binds), func(i, j int) { tree.Binds[i], tree.Binds[j] = tree.Binds[j], tree.Binds[i] })
	rand.Shuffle(len(tree.Links), func(i, j int) { tree.Links[i], tree.Links[j] = tree.Links[j], tree.Links[i] })
}

func TestTreeRefusesContradictions(t *testing.T) {
	for name, tree := range map[string]namespaces.Tree{
		"a link where a bind is": {
			Binds: []namespaces.Bind{same("/lib", ro)},
			Links: []namespaces.Link{{Path: "/lib", Text: "usr/lib"}},
		},
		"a bind below a link": {
			Binds: []namespaces.Bind{same("/lib/x", ro)},
			Links: []namespaces.Link{{Path: "/lib", Text: "usr/lib"}},
		},
		"two links": {
			Links: []namespaces.Link{{Path: "/lib", Text: "usr/lib"}, {Path: "/lib", Text: "usr/lib64"}},
		},
		"a link below a link": {
			Links: []namespaces.Link{{Path: "/lib", Text: "usr/lib"}, {Path: "/lib/a", Text: "b"}},
		},
		"two sources": {
			Binds: []namespaces.Bind{same("/a", ro), {Source: "/b", Target: "/a", Flags: ro}},
		},
		"a tmpfs where a bind is": {
			Binds: []namespaces.Bind{same("/tmp", ro)},
			Tmpfs: []namespaces.Tmpfs{{Path: "/tmp"}},
		},
		"a link in a bind of another place": {
			Binds: []namespaces.Bind{{Source: "/x", Target: "/a", Flags: ro}},
			Links: []namespaces.Link{{Path: "/a/b", Text: "c"}},
		},
		"device nodes asked for once": {
			Binds: []namespaces.Bind{same("/a", ro), same("/a", ro|namespaces.FlagDev)},
		},
		"the root":         {Binds: []namespaces.Bind{{Source: "/", Target: "", Flags: ro}}},
		"a relative path":  {Binds: []namespaces.Bind{same("a", ro)}},
		"an unclean path":  {Binds: []namespaces.Bind{same("/a/../b", ro)}},
		"an empty link":    {Links: []namespaces.Link{{Path: "/a"}}},
		"a path with NUL":  {Tmpfs: []namespaces.Tmpfs{{Path: "/a\x00b"}}},
		"a source unclean": {Binds: []namespaces.Bind{{Source: "/a/", Target: "/a"}}},
	} {
		if got, err := tree.Operations(); err == nil {
			t.Errorf("%s: accepted as\n%s", name, got)
		}
	}
}
