# feature: fchmodat2
# wants: EPERM
# reports: fchmodat2
with directory() as place:
    path = os.path.join(place, "tool")
    open(path, "w").close()

    def chmod():
        call(452, 2**64 - 100, path.encode(), 0o4755, 0)
        return os.stat(path).st_mode & 0o4000

    attack(chmod)
