"""Fetches by TLS in several ways: tls.py AUTHORITY NAME OTHER

AUTHORITY is a file with the certificate that signed NAME's; OTHER is a name of
the same server that its certificate does not have.
"""

import socket
import ssl
import sys
import urllib.error
import urllib.request

import requests

authority, name, other = sys.argv[1:]
try:
    context = ssl.create_default_context(cafile=authority)
except OSError as error:
    print("authority:", type(error).__name__)
    sys.exit()


def talk(host, trust, session=None):
    with socket.create_connection((host, 443), timeout=20) as plain:
        with trust.wrap_socket(plain, server_hostname=host, session=session) as secure:
            secure.sendall(f"GET / HTTP/1.0\r\nHost: {host}\r\n\r\n".encode())
            body = secure.makefile("rb").read().split(b"\r\n\r\n")[1].decode()
            subject = secure.getpeercert()["subjectAltName"][0][1]
            return body, secure.version(), subject, secure.session, secure.session_reused


body, version, subject, session, _ = talk(name, context)
print(f"ssl: {body}, {version}, {subject}")
with urllib.request.urlopen(f"https://{name}/", context=context, timeout=20) as page:
    print("urllib:", page.read().decode())
print("requests:", requests.get(f"https://{name}/", verify=authority, timeout=20).text)
print("renewed:", talk(name, context, session)[4])
system = ssl.create_default_context()
for label, host, trust in ("wrong name", other, context), ("system's authorities", name, system):
    try:
        talk(host, trust)
        print(f"{label}: accepted")
    except ssl.SSLError as error:
        print(f"{label}: {type(error).__name__}")
