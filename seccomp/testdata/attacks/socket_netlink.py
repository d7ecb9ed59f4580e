# wants: ENOTSUP
# getaddrinfo(3) tries it each time, so it is not reported.
attack(lambda: call(41, 16, 3, 0) > 0)
