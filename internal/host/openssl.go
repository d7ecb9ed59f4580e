package host

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
)

// certificates makes visible the certificates and settings of the OpenSSL that
// the interpreter uses. Where they lie is a constant of the library: one that
// was built with the interpreter has a place of its own.
func (p *pythonBuilder) certificates() {
	for _, file := range p.cryptoLibraries() {
		dir := opensslDir(file)
		if !isCleanPath(dir) || !isSystemDir(dir) && !within(dir, "/etc") && !within(dir, p.layout.prefix) {
			continue // a library of someone's own does not choose what is shown
		}
		paths := []string{filepath.Join(dir, "cert.pem"), filepath.Join(dir, "certs"), filepath.Join(dir, "openssl.cnf")}
		p.claim(filepath.Join(p.layout.prefix, "openssl"), paths...) // pyenv
		p.claim(filepath.Join(p.layout.prefix, "ssl"), paths...)     // conda
		p.offer(false, paths...)
	}
}

// cryptoLibraries lists the files that may have OpenSSL in them.
func (p *pythonBuilder) cryptoLibraries() []string {
	var files []string
	for path := range p.binds {
		if strings.HasPrefix(filepath.Base(path), "libcrypto.so") {
			files = append(files, path)
		}
	}
	if len(files) > 0 {
		return files
	}
	dynload := filepath.Join(p.layout.stdlib, "lib-dynload")
	for _, name := range listDir(p.tree, dynload) {
		if strings.HasPrefix(name, "_ssl.") {
			return []string{filepath.Join(dynload, name)}
		}
	}
	return []string{p.layout.executable}
}

// opensslDir finds the text that `openssl version -d` prints.
func opensslDir(file string) string {
	info, err := os.Stat(file)
	if err != nil || info.Size() > maxProgram {
		return ""
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	_, after, _ := bytes.Cut(data, []byte(`OPENSSLDIR: "`))
	dir, _, found := bytes.Cut(after[:min(len(after), maxElfString)], []byte(`"`))
	if !found {
		return ""
	}
	return string(dir)
}
