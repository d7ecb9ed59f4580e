package stdlib

import "regexp"

// modules are the parts of CPython's suite that run, those that take long first: what
// programs ask of the kernel, and what needs no network and no minutes.
func modules() []string {
	return []string{
		"test_socket", "test_selectors", "test_threading", "test_subprocess.POSIXProcessTestCase",
		"test_eintr", "test_fork1", "test_wait4", "test_threadsignals",
		"test_asyncio.test_subprocess.SubprocessPidfdWatcherTests", "test_asyncio.test_sock_lowlevel",
		"test_asyncio.test_streams", "test_asyncio.test_unix_events", "test_asyncio.test_server",
		"test_os", "test_posix", "test_httpservers", "test_tempfile", "test_smtplib", "test_time",
		"test_pathlib", "test_shutil", "test_glob", "test_import", "test_ctypes", "test_mailbox",
		"test_httplib", "test_urllib2_localnet", "test_socketserver", "test_select", "test_epoll",
		"test_mmap", "test_fcntl", "test_pty", "test_resource", "test_dbm", "test_pwd", "test_grp",
		"test_getpass", "test_locale", "test_platform", "test_site",
	}
}

// difference is tests that may end otherwise inside, by a regular expression for the
// whole of their names.
type difference struct{ tests, why string }

// differences are by design. What else differs is a fault of the sandbox's.
func differences() []difference {
	return []difference{
		{`test\.test_socket\.\w*UDPLITE\w*\..*`, "no sockets but TCP, UDP and local ones"},
		{`test\.test_socket\.GeneralModuleTests\.test(InterfaceNameIndex|InvalidInterfaceIndexToName)`, "if_nameindex(3) needs netlink"},
		{`test\.test_socket\.GeneralModuleTests\.test_get(addr|name)info_ipv6_scopeid_symbolic`, "if_nameindex(3) needs netlink"},
		{`test\.test_os\.ExtendedAttributeTests\..*`, "extended attributes can be read, not set"},
		{`test\.test_os\.MakedirTests\.test_exist_ok_s_isgid_directory`, "no set-id bits"},
		{`test\.test_os\.MemfdCreateTests\.test_memfd_create`, "memory files need MFD_NOEXEC_SEAL"},
		{`test\.test_posix\.TestPosixSpawnP?\.test_setscheduler_only_param`, "a priority could be a real-time one"},
		{`test\.test_mmap\.LargeMmapTests\..*`, "limits.file_size"},
		{`test\.test_resource\.ResourceTest\.test_fsize_ismax`, "limits.file_size"},
		{`test\.test_import\.(ImportTests\.test_import|PycacheTests\..*)`, "the library is on a read-only mount: EROFS where ENOENT is meant"},
	}
}

// byDesign tells whether a test may end otherwise inside.
func byDesign(test string) bool {
	for _, d := range differences() {
		if regexp.MustCompile("^(?:" + d.tests + ")$").MatchString(test) {
			return true
		}
	}
	return false
}
