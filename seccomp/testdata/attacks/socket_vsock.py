# wants: EAFNOSUPPORT
# control: EAFNOSUPPORT or reached
# reports: socket
# The host of a virtual machine; kernels outside one may not have the family.
attack(lambda: call(41, 40, 1, 0) > 0)
