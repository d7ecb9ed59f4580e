# wants: EPERM
# reports: chmod
with directory() as place:
    path = os.path.join(place, "tool")
    open(path, "w").close()

    def chmod():
        os.chmod(path, 0o4755)
        return os.stat(path).st_mode & 0o4000

    attack(chmod)
    if os.stat(path).st_mode & 0o6000:
        print("the bit is set")
