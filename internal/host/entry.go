package host

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"path/filepath"
)

// cacheEntry is an interpreter with its closure, or only a closure, as the cache
// keeps it.
type cacheEntry struct {
	key       string   // what was asked for
	program   identity // of the binary that wrote the entry
	kernel    string   // release
	home      string   // HOME of the caller
	python    Interpreter
	witnesses []witness
}

// entryMagic names the format. It changes with the layout; that the rules of a
// closure changed shows in the program's identity.
const entryMagic = "pysandbox closure 2\n"

var errEntry = errors.New("not an entry of this cache")

// encode lays an entry out: the magic, then numbers as uvarints and texts with
// their length before them, then the CRC-32 of all that.
func (e *cacheEntry) encode() []byte {
	w := entryWriter(entryMagic)
	w.identity(e.program)
	w.text(e.key, e.kernel, e.home)
	w.text(e.python.Executable, e.python.Version, e.python.Prefix, e.python.Venv, e.python.Magic)
	w.number(uint64(len(e.witnesses)))
	for _, witness := range e.witnesses {
		w.text(witness.path)
		w.number(uint64(witness.kind))
		w.number(uint64(witness.under))
		w.identity(witness.identity)
	}
	w.number(uint64(len(e.python.Binds)))
	for _, bind := range e.python.Binds {
		w.text(bind.Path)
		w.number(bindFlags(bind))
		w.number(uint64(len(bind.Only)))
		w.text(bind.Only...)
	}
	w.number(uint64(len(e.python.Links)))
	for _, link := range e.python.Links {
		w.text(link.Path, link.Target)
	}
	return withChecksum(w)
}

func withChecksum(data []byte) []byte {
	return binary.LittleEndian.AppendUint32(data, crc32.ChecksumIEEE(data))
}

const (
	flagExec   = 1
	flagPublic = 2
)

func bindFlags(bind Bind) uint64 {
	var flags uint64
	if bind.Exec {
		flags |= flagExec
	}
	if bind.Public {
		flags |= flagPublic
	}
	return flags
}

type entryWriter []byte

func (w *entryWriter) number(n uint64) { *w = binary.AppendUvarint(*w, n) }

func (w *entryWriter) text(texts ...string) {
	for _, text := range texts {
		w.number(uint64(len(text)))
		*w = append(*w, text...)
	}
}

func (w *entryWriter) identity(id identity) {
	w.number(id.device)
	w.number(id.inode)
	w.number(uint64(id.mode))
	w.number(uint64(id.uid))
	w.number(uint64(id.changed))
}

// decodeEntry reads an entry. Whatever the bytes are, the result binds and links
// clean paths only; it is not yet known whether they still are what they were.
func decodeEntry(data []byte) (*cacheEntry, error) {
	body := len(data) - crc32.Size
	if body < len(entryMagic) || string(data[:len(entryMagic)]) != entryMagic ||
		crc32.ChecksumIEEE(data[:body]) != binary.LittleEndian.Uint32(data[body:]) {
		return nil, errEntry
	}
	r := entryReader{rest: string(data[len(entryMagic):body])}
	e := &cacheEntry{program: r.identity(), key: r.text(), kernel: r.text(), home: r.text()}
	e.python = Interpreter{Executable: r.text(), Version: r.text(), Prefix: r.text(), Venv: r.text(), Magic: r.text()}
	e.witnesses = make([]witness, r.count())
	for i := range e.witnesses {
		e.witnesses[i] = r.witness(i)
	}
	e.python.Binds = make([]Bind, r.count())
	for i := range e.python.Binds {
		e.python.Binds[i] = r.bind()
	}
	e.python.Links = make([]Link, r.count())
	for i := range e.python.Links {
		e.python.Links[i] = Link{Path: r.path(), Target: r.text()}
	}
	if r.bad || r.rest != "" {
		return nil, errEntry
	}
	return e, nil
}

// entryReader reads from the front. After the first mistake it reads zeros.
type entryReader struct {
	rest string
	bad  bool
}

func (r *entryReader) number() uint64 {
	var n uint64
	for i := 0; i < len(r.rest) && i < binary.MaxVarintLen64; i++ {
		b := r.rest[i]
		n |= uint64(b&0x7f) << (7 * i)
		if b < 0x80 {
			r.rest = r.rest[i+1:]
			return n
		}
	}
	r.fail()
	return 0
}

func (r *entryReader) text() string {
	n := r.number()
	if n > uint64(len(r.rest)) {
		r.fail()
		return ""
	}
	text := r.rest[:n]
	r.rest = r.rest[n:]
	return text
}

// count reads the number of elements that follow, of which each takes at least a
// byte.
func (r *entryReader) count() int {
	n := r.number()
	if n > uint64(len(r.rest)) {
		r.fail()
		return 0
	}
	return int(n)
}

func (r *entryReader) path() string {
	path := r.text()
	if !isCleanPath(path) {
		r.fail()
		return "/"
	}
	return path
}

func (r *entryReader) identity() identity {
	return identity{
		device: r.number(), inode: r.number(),
		mode: uint32(r.number()), uid: uint32(r.number()),
		changed: int64(r.number()),
	}
}

// witness reads the witness of an index. The directory that answers for it
// stands before it.
func (r *entryReader) witness(index int) witness {
	w := witness{path: r.text()}
	kind, under := r.number(), r.number()
	if kind >= uint64(kinds) || under > uint64(index) {
		r.fail()
		return w
	}
	w.kind, w.under, w.identity = witnessKind(kind), int(under), r.identity()
	return w
}

func (r *entryReader) bind() Bind {
	path, flags := r.path(), r.number()
	bind := Bind{Path: path, Exec: flags&flagExec != 0, Public: flags&flagPublic != 0}
	if n := r.count(); n > 0 {
		bind.Only = make([]string, n)
	}
	for i := range bind.Only {
		if bind.Only[i] = r.text(); !filepath.IsLocal(bind.Only[i]) {
			r.fail()
		}
	}
	return bind
}

func (r *entryReader) fail() { r.rest, r.bad = "", true }
