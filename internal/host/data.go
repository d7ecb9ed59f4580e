package host

import "path/filepath"

// runtime adds what the C library and OpenSSL load by name when they are asked
// to, beside what the loader finds from the files.
func (b *builder) runtime() {
	b.offer(false, loaderCacheFile, muslPathFile())
	// pthread_exit and pthread_cancel load libgcc_s; before glibc 2.34 the name
	// service loads its parts by the names in nsswitch.conf.
	b.byName("/", "libgcc_s.so.1", "libnss_files.so.2", "libnss_dns.so.2", "libresolv.so.2")
	for _, dir := range b.libraryDirs() {
		b.offer(true, filepath.Join(dir, "gconv"), filepath.Join(dir, "ossl-modules"))
	}
}

// libraryDirs lists the directories that have the C library or OpenSSL.
func (b *builder) libraryDirs() []string {
	var dirs []string
	for _, name := range []string{"libc.so.6", "libcrypto.so.3"} {
		for path := range b.binds {
			if filepath.Base(path) == name {
				dirs = append(dirs, filepath.Dir(path))
			}
		}
	}
	return dirs
}

// data adds the files that the standard library reads wherever it runs.
func (b *builder) data() {
	b.offer(false, dataFiles()...)
}

// dataFiles lists them by what needs them, on every distribution that keeps
// them in a place of its own.
func dataFiles() []string {
	return []string{
		// socket.getservbyname, getprotobyname; mimetypes.
		"/etc/services", "/etc/protocols", "/etc/mime.types",
		// zoneinfo and time.localtime.
		"/usr/share/zoneinfo", "/etc/localtime",
		// locale.setlocale.
		"/usr/lib/locale",
		// curses and readline.
		"/usr/share/terminfo", "/usr/lib/terminfo", "/lib/terminfo", "/etc/terminfo",
		// ssl: certificates and settings. Debian and Arch; Fedora; SUSE; Alpine.
		"/etc/ssl/certs", "/etc/ssl/openssl.cnf", "/usr/share/ca-certificates", "/usr/local/share/ca-certificates",
		"/usr/lib/ssl/cert.pem", "/usr/lib/ssl/certs", "/usr/lib/ssl/openssl.cnf",
		"/etc/pki/tls/certs", "/etc/pki/tls/cert.pem", "/etc/pki/tls/openssl.cnf", "/etc/pki/ca-trust/extracted",
		"/etc/crypto-policies", "/usr/share/crypto-policies",
		"/etc/ssl/ca-bundle.pem", "/var/lib/ca-certificates",
		"/etc/ssl/cert.pem",
		// matplotlib, PIL and others that draw text.
		"/usr/share/fonts", "/usr/local/share/fonts", "/etc/fonts", "/usr/share/fontconfig",
		// matplotlib of Debian and Fedora, which is not imported without.
		"/usr/share/matplotlib", "/etc/matplotlibrc",
	}
}
