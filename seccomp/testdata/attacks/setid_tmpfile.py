# wants: EPERM
# reports: openat
# A file without a name takes its mode at once as well.
with directory() as place:

    def create():
        return os.fstat(os.open(place, os.O_TMPFILE | os.O_RDWR, 0o4755)).st_mode & 0o4000

    attack(create)
