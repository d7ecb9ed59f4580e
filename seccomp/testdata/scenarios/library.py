# layers: base
import collections, csv
import datetime, decimal, difflib, email, functools, hashlib, html, inspect, io, itertools, json, logging, math
import pickle, re, string, textwrap, typing, unicodedata, urllib.parse, xml.etree.ElementTree, zlib

assert json.loads(json.dumps({"a": [1, 2.5, None]})) == {"a": [1, 2.5, None]}
assert hashlib.sha256(b"x").hexdigest().startswith("2d71")
assert zlib.decompress(zlib.compress(b"y" * 1000)) == b"y" * 1000
logging.getLogger().warning("a warning")
