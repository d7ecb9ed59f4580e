# wants: EPERM
# reports: mknodat, mknod
# needs: CAP_MKNOD
with directory() as place:
    path = os.path.join(place, "zero")

    def create():
        os.mknod(path, 0o020666, os.makedev(1, 5))
        return os.path.exists(path)

    attack(create)
