# wants: EPERM
# reports: openat
with directory() as place:
    path = os.path.join(place, "tool")

    def create():
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o4755))
        return os.stat(path).st_mode & 0o4000

    attack(create)
    if os.path.exists(path) and not os.stat(path).st_mode & 0o4000:
        print("the file is there")
