# wants: EAFNOSUPPORT
# reports: socket
attack(lambda: call(41, 17, 3, 0) > 0)
