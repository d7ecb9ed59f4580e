"""Fetches pages: requests_client.py HOST"""

import concurrent.futures
import sys

import requests

base = f"http://{sys.argv[1]}"
page = requests.get(base + "/page", timeout=20)
print("get:", page.status_code, page.text.strip())
page = requests.get(base + "/moved", timeout=20)
print("redirected:", page.status_code, page.text.strip())
with requests.Session() as session:
    print("kept alive:", sum(session.get(base + "/page", timeout=20).ok for _ in range(50)))
print("large:", len(requests.get(base + "/large", timeout=20).content))
with concurrent.futures.ThreadPoolExecutor(8) as pool:
    pages = pool.map(lambda _: requests.get(base + "/page", timeout=20).ok, range(40))
    print("threads:", sum(pages))
try:
    print("another port:", requests.get(base + ":8080/page", timeout=20).status_code)
except requests.exceptions.ConnectionError:
    print("another port: ConnectionError")
