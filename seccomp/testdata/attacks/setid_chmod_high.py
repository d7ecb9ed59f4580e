# wants: EPERM
# reports: chmod
# The mode with bits set that the kernel does not read.
with directory() as place:
    path = os.path.join(place, "tool")
    open(path, "w").close()

    def chmod():
        call(90, path.encode(), 0o2755 | HIGH | 1 << 17)
        return os.stat(path).st_mode & 0o2000

    attack(chmod)
