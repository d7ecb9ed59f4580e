# wants: ENOTSUP
with directory() as place:
    path = os.path.join(place, "file")
    open(path, "w").close()

    def attribute():
        os.setxattr(path, "user.mark", b"1")
        return os.listxattr(path) == ["user.mark"]

    attack(attribute)
    if os.listxattr(path) not in ([], ["user.mark"]):
        print("another attribute")
