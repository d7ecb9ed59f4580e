package host

import (
	"reflect"
	"testing"
)

func TestMergeLeavesOutWhatADirectoryBrings(t *testing.T) {
	one := Closure{
		Binds: []Bind{{Path: "/usr/lib"}, {Path: "/usr/lib-extra/x"}},
		Links: []Link{{"/lib", "usr/lib"}, {"/usr/lib/libz.so.1", "libz.so.1.2"}},
	}
	other := Closure{
		Binds: []Bind{{Path: "/usr/bin/git", Exec: true}, {Path: "/usr/lib/git-core", Exec: true}},
		Links: []Link{{"/bin", "usr/bin"}, {"/lib", "usr/lib"}},
	}
	want := Closure{
		Binds: []Bind{{Path: "/usr/bin/git", Exec: true}, {Path: "/usr/lib", Exec: true}, {Path: "/usr/lib-extra/x"}},
		Links: []Link{{"/bin", "usr/bin"}, {"/lib", "usr/lib"}},
	}
	if got := one.Merge(other); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
	if got := other.Merge(one); !reflect.DeepEqual(got, want) {
		t.Errorf("the other way round: %+v", got)
	}
}

func TestMergeKeepsWhatIsNeededOfADirectory(t *testing.T) {
	part := func(only ...string) Closure {
		return Closure{Binds: []Bind{{Path: "/usr/lib/y", Exec: true, Public: true, Only: only}}}
	}
	for name, c := range map[string]struct{ one, other, want Closure }{
		"both":        {part("a", "c"), part("b", "c"), part("a", "b", "c")},
		"all of it":   {part("a"), Closure{Binds: []Bind{{Path: "/usr/lib/y"}}}, Closure{Binds: []Bind{{Path: "/usr/lib/y", Exec: true, Public: true}}}},
		"one of it":   {part("a"), Closure{Binds: []Bind{{Path: "/usr/lib/y/sub/b"}}}, part("a", "sub/b")},
		"what holds":  {part("a"), Closure{Binds: []Bind{{Path: "/usr/lib"}}}, Closure{Binds: []Bind{{Path: "/usr/lib", Exec: true}}}},
		"part deeper": {part("a"), Closure{Binds: []Bind{{Path: "/usr/lib/y/sub", Only: []string{"b"}}}}, part("a", "sub/b")},
	} {
		for _, got := range []Closure{c.one.Merge(c.other), c.other.Merge(c.one)} {
			for i := range got.Binds {
				got.Binds[i].Public = c.want.Binds[i].Public
			}
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("%s: got %+v, want %+v", name, got, c.want)
			}
		}
	}
}

func TestGroupBindsALibraryDirectoryOnce(t *testing.T) {
	closure := Closure{
		Binds: []Bind{
			{Path: "/home/u/lib/liba.so", Exec: true, Public: true},
			{Path: "/home/u/lib/libb.so", Exec: true, Public: true},
			{Path: "/usr/bin/python3", Exec: true, Public: true},
			{Path: "/usr/lib/x", Exec: true, Public: true},
			{Path: "/usr/lib/y/liba.so.1", Exec: true, Public: true},
			{Path: "/usr/lib/y/libb.so.1", Exec: true, Public: true},
			{Path: "/usr/lib/y/modules", Public: true},
		},
		Links: []Link{{"/lib", "usr/lib"}, {"/usr/lib/y/libb.so", "libb.so.1"}},
	}
	want := Closure{
		Binds: []Bind{
			closure.Binds[0], closure.Binds[1], closure.Binds[2], closure.Binds[3],
			{Path: "/usr/lib/y", Exec: true, Public: true, Only: []string{"liba.so.1", "libb.so.1", "modules"}},
		},
		Links: []Link{{"/lib", "usr/lib"}},
	}
	got := closure.group(2)
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
	if again := got.group(2); !reflect.DeepEqual(again, want) {
		t.Errorf("a second time: %+v", again)
	}
	if same := closure.group(3); !reflect.DeepEqual(same, closure) {
		t.Errorf("with fewer files than it takes: %+v", same)
	}
}
