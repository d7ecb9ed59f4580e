# wants: EPROTONOSUPPORT
# reports: socket
# With a bit set in each argument that the kernel does not read.
attack(lambda: call(41, 2 | HIGH, 1 | HIGH, 262 | HIGH) > 0)
