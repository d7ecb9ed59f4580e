# wants: EACCES
# reports: fcntl
import fcntl

with directory() as place:
    path = os.path.join(place, "file")
    open(path, "w").close()
    with open(path) as file:

        def lease():
            fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
            return fcntl.fcntl(file, fcntl.F_GETLEASE) == fcntl.F_RDLCK

        attack(lease)
