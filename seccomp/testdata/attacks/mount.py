# wants: EPERM
# reports: mount
# needs: CAP_SYS_ADMIN
with directory() as place:

    def mount():
        call(165, b"none\0", place.encode() + b"\0", b"tmpfs\0", 0, 0)
        mounted = os.path.ismount(place)
        call(166, place.encode() + b"\0", 0)
        return mounted

    attack(mount)
