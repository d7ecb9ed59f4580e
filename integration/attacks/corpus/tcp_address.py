"""Every spelling of an address that "*" must not mean.

"tcp://*:80" is public unicast: never the host, its loopback, private, link-local
or metadata addresses, nor an IPv4 address in an IPv6 disguise.

attacks: the canonical form in which rules match addresses
effect: the server at port 80 of that address accepts a connection
refused: EACCES, ENETUNREACH, EADDRNOTAVAIL, ECONNREFUSED, EHOSTUNREACH, EINVAL
topic: "*" means public unicast
"""

import socket

from kit import attempt, family, target

with attempt(), socket.socket(family()) as s:
    s.settimeout(60)
    s.connect((target["host"], target["port"]))
