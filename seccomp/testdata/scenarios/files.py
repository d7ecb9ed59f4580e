# layers: base files_write
import errno, fcntl, mmap, os, pathlib, shutil, tempfile, zipfile

with tempfile.TemporaryDirectory() as place:
    root = pathlib.Path(place)
    path = root / "file"
    path.write_text("hello")
    path.chmod(0o600)
    os.utime(str(path))
    os.symlink("file", str(root / "link"))
    os.link(str(path), str(root / "second"))
    os.mkfifo(str(root / "pipe"))
    shutil.copy2(str(path), str(root / "copy"))
    shutil.copytree(place, str(root / "tree"), ignore=shutil.ignore_patterns("pipe", "tree"))
    with open(str(path)) as source, open(str(root / "copy"), "w") as target:
        try:
            fcntl.ioctl(target.fileno(), 0x40049409, source.fileno())  # FICLONE
        except OSError as error:
            assert error.errno == errno.EOPNOTSUPP, error
    os.chown(str(path), -1, -1)
    try:
        os.chown(str(path), 4321, 4321)
    except PermissionError:
        pass
    os.mkdir(str(root / "shared"), 0o2775)
    assert not os.stat(str(root / "shared")).st_mode & 0o2000 or os.stat(place).st_mode & 0o2000
    os.rmdir(str(root / "shared"))
    os.replace(str(root / "copy"), str(root / "moved"))
    with open(str(path), "r+b") as file:
        file.truncate(8192)
        file.flush()
        os.fsync(file.fileno())
        with mmap.mmap(file.fileno(), 0) as memory:
            memory[0:2] = b"HE"
            memory.flush()
    with zipfile.ZipFile(str(root / "archive"), "w") as archive:
        archive.write(str(path), "file")
    with tempfile.NamedTemporaryFile(dir=place) as named, tempfile.TemporaryFile() as nameless:
        named.write(b"x"), nameless.write(b"y")
    with os.scandir(place) as entries:
        assert len(list(entries)) == 7
