"""A build backend (PEP 517) that needs nothing but the standard library, so that
`pip install` works without a network. It packs the directory pysandbox.
"""
import base64
import hashlib
import os
import re
import tarfile
import zipfile

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
EPOCH = (1980, 1, 1, 0, 0, 0)  # equal sources give equal wheels


def _field(name):
    """The text on the line of pyproject.toml that sets a name; tomllib is only there
    from CPython 3.11 on."""
    with open(os.path.join(HERE, "pyproject.toml"), encoding="utf-8") as file:
        return re.search(r'(?m)^%s = [^"]*"(.*)"[^"]*$' % name, file.read()).group(1)


def _metadata():
    fields = [("Metadata-Version", "2.1"), ("Name", "pysandbox"), ("Version", _field("version")),
              ("Summary", _field("description")), ("Author", _field("authors")),
              ("License", _field("license")), ("Project-URL", "Source, " + _field("Source")),
              ("Classifier", "License :: OSI Approved :: Apache Software License"),
              ("Classifier", "Operating System :: POSIX :: Linux"),
              ("Requires-Python", _field("requires-python"))]
    return "".join("%s: %s\n" % field for field in fields)


def _sources():
    top = os.path.join(HERE, "pysandbox")
    return [("pysandbox/" + name, os.path.join(top, name)) for name in sorted(os.listdir(top))
            if name.endswith(".py") or name == "py.typed"]


def _info():
    return "pysandbox-%s.dist-info" % _field("version")


def _wheel(directory, sources):
    name = "pysandbox-%s-py3-none-any.whl" % _field("version")
    files = dict(sources)
    files[_info() + "/METADATA"] = _metadata().encode()
    files[_info() + "/WHEEL"] = (
        b"Wheel-Version: 1.0\nGenerator: pysandbox\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    record = ""
    with zipfile.ZipFile(os.path.join(directory, name), "w", zipfile.ZIP_DEFLATED) as wheel:
        for path, data in files.items():
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            record += "%s,sha256=%s,%d\n" % (path, digest, len(data))
            _add(wheel, path, data)
        _add(wheel, _info() + "/RECORD", (record + _info() + "/RECORD,,\n").encode())
    return name


def _add(wheel, path, data):
    entry = zipfile.ZipInfo(path, EPOCH)
    entry.external_attr = 0o644 << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    wheel.writestr(entry, data)


def _read(path):
    with open(path, "rb") as file:
        return file.read()


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    return _wheel(wheel_directory, [(name, _read(path)) for name, path in _sources()])


def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    return _wheel(wheel_directory, [("pysandbox.pth", (HERE + "\n").encode())])


def build_sdist(sdist_directory, config_settings=None):
    top = "pysandbox-" + _field("version")
    name = top + ".tar.gz"
    with tarfile.open(os.path.join(sdist_directory, name), "w:gz") as archive:
        for path, source in _sources(
                ) + [(n, os.path.join(HERE, n)) for n in ("pyproject.toml", "_build/backend.py")]:
            archive.add(source, top + "/" + path)
    return name
