package seccomp

// layerServer is accepting connections. A host's socket can be in the guest's
// hands and would listen on the host, so the supervisor judges each bind(2) and
// listen(2) on the socket itself.
func layerServer(t *table) {
	t.trap("the supervisor tells the sandbox's sockets from the host's", "bind", "listen")
	t.allow("connections to a socket that listens", "accept", "accept4")
}
