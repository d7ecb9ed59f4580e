# wants: EPERM
# reports: add_key
attack(lambda: call(248, b"user\0", b"pysandbox-test\0", b"secret", 6, 2**64 - 2) > 0)
