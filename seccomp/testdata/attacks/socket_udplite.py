# wants: EPROTONOSUPPORT
# reports: socket
attack(lambda: call(41, 2, 2, 136) > 0)
