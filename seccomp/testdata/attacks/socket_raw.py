# wants: EAFNOSUPPORT
# reports: socket
attack(lambda: call(41, 2, 3, 6) > 0)
