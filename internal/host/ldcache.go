package host

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
)

// loaderCacheFile is where ldconfig(8) writes what it found.
const loaderCacheFile = "/etc/ld.so.cache"

// maxLoaderCache bounds the cache, which has some 40 bytes per library.
const maxLoaderCache = 16 << 20

var errLoaderCache = errors.New("not a cache that ldconfig writes since glibc 2.2")

// readLoaderCache returns the files that the cache has for each soname: for one
// name there may be several, of which the loader takes the one that suits the
// processor. A missing cache is an empty one, as for the loader.
func readLoaderCache(t *tree) map[string][]string {
	t.watch(loaderCacheFile)
	data, err := os.ReadFile(loaderCacheFile)
	if err != nil || len(data) > maxLoaderCache {
		return nil
	}
	libraries, err := parseLoaderCache(data)
	if err != nil {
		return nil
	}
	return libraries
}

// Layout of struct cache_file_new and struct file_entry_new in glibc's
// sysdeps/generic/dl-cache.h.
const (
	loaderMagic     = "glibc-ld.so.cache1.1"
	loaderHeader    = 48 // bytes
	loaderEntry     = 24 // bytes
	oldLoaderMagic  = "ld.so-1.7.0"
	oldLoaderHeader = 16 // bytes
	oldLoaderEntry  = 12 // bytes
)

func parseLoaderCache(data []byte) (map[string][]string, error) {
	le := binary.LittleEndian
	if bytes.HasPrefix(data, []byte(oldLoaderMagic)) {
		// Before glibc 2.32 ldconfig wrote both formats; the one that the loader
		// reads follows the old one, aligned to 8.
		if len(data) < oldLoaderHeader {
			return nil, errLoaderCache
		}
		start := (oldLoaderHeader + uint64(le.Uint32(data[12:]))*oldLoaderEntry + 7) &^ 7
		if start > uint64(len(data)) {
			return nil, errLoaderCache
		}
		data = data[start:]
	}
	if len(data) < loaderHeader || !bytes.HasPrefix(data, []byte(loaderMagic)) {
		return nil, errLoaderCache
	}
	count := uint64(le.Uint32(data[20:]))
	if loaderHeader+count*loaderEntry > uint64(len(data)) {
		return nil, errLoaderCache
	}
	libraries := make(map[string][]string, count)
	for i := range count {
		entry := data[loaderHeader+i*loaderEntry:]
		name, ok := cacheString(data, le.Uint32(entry[4:]))
		file, ok2 := cacheString(data, le.Uint32(entry[8:]))
		if !ok || !ok2 {
			return nil, errLoaderCache
		}
		libraries[name] = append(libraries[name], file)
	}
	return libraries, nil
}

func cacheString(data []byte, offset uint32) (string, bool) {
	if uint64(offset) >= uint64(len(data)) {
		return "", false
	}
	end := bytes.IndexByte(data[offset:], 0)
	if end < 0 {
		return "", false
	}
	return string(data[offset : int(offset)+end]), true
}
