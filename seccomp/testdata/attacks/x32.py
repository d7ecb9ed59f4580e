# wants: ENOSYS
# reports: foreign
# control: ENOSYS or reached
# getpid(2) with the x32 bit; kernels without that ABI know no such number.
attack(lambda: call(0x40000000 | 39) == os.getpid())
