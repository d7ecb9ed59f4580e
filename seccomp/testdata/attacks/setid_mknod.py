# wants: EPERM
# reports: mknodat, mknod
with directory() as place:
    path = os.path.join(place, "tool")

    def create():
        os.mknod(path, 0o104755)
        return os.stat(path).st_mode & 0o4000

    attack(create)
