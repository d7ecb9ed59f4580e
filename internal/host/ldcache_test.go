package host

import (
	"encoding/binary"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// TestLoaderCacheAgreesWithLdconfig compares with the listing of the tool that
// wrote the cache.
func TestLoaderCacheAgreesWithLdconfig(t *testing.T) {
	output, err := exec.Command("/sbin/ldconfig", "-p").Output()
	if err != nil {
		t.Fatal(err)
	}
	libraries := readLoaderCache(newTree())
	compared := 0
	for line := range strings.Lines(string(output)) {
		name, rest, ok := strings.Cut(strings.TrimSpace(line), " (")
		_, path, ok2 := strings.Cut(rest, " => ")
		if !ok || !ok2 {
			continue
		}
		compared++
		if !slices.Contains(libraries[name], path) {
			t.Errorf("%s is at %v, not at %s", name, libraries[name], path)
		}
	}
	if compared == 0 {
		t.Error("nothing was compared")
	}
}

// TestLoaderCacheOfOldFormat puts the format of glibc before 2.32 in front.
func TestLoaderCacheOfOldFormat(t *testing.T) {
	data, err := os.ReadFile(loaderCacheFile)
	if err != nil {
		t.Fatal(err)
	}
	const entries = 3
	old := make([]byte, oldLoaderHeader+entries*oldLoaderEntry)
	copy(old, oldLoaderMagic)
	binary.LittleEndian.PutUint32(old[12:], entries)
	for len(old)%8 != 0 {
		old = append(old, 0)
	}
	want, err := parseLoaderCache(data)
	if err != nil {
		t.Fatal(err)
	}
	got, err := parseLoaderCache(append(old, data...))
	if err != nil || len(got) != len(want) || !slices.Equal(got["libc.so.6"], want["libc.so.6"]) {
		t.Errorf("%d names, want %d: %v", len(got), len(want), err)
	}
}

func TestLoaderCacheRefusesDamage(t *testing.T) {
	data, err := os.ReadFile(loaderCacheFile)
	if err != nil {
		t.Fatal(err)
	}
	manyEntries := slices.Clone(data)
	binary.LittleEndian.PutUint32(manyEntries[20:], 1<<31)
	farString := slices.Clone(data)
	binary.LittleEndian.PutUint32(farString[loaderHeader+4:], 1<<31)
	for name, damaged := range map[string][]byte{
		"empty": nil, "cut short": data[:loaderHeader+5], "many entries": manyEntries, "far string": farString,
		"other magic": []byte(strings.Repeat("x", 4096)),
	} {
		if _, err := parseLoaderCache(damaged); err == nil {
			t.Errorf("%s was read", name)
		}
	}
}

func FuzzParseLoaderCache(f *testing.F) {
	small := make([]byte, loaderHeader+loaderEntry)
	copy(small, loaderMagic)
	small[20] = 1
	small[loaderHeader+4], small[loaderHeader+8] = byte(len(small)), byte(len(small)+2)
	f.Add(append(small, "a\x00/lib/a\x00"...))
	f.Add([]byte(oldLoaderMagic + "\x00\x01\x00\x00\x00"))
	f.Fuzz(func(_ *testing.T, data []byte) { _, _ = parseLoaderCache(data) })
}
