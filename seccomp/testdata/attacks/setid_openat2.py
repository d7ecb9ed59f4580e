# wants: ENOSYS
with directory() as place:
    path = os.path.join(place, "tool")

    def create():
        how = struct.pack("QQQ", os.O_CREAT | os.O_WRONLY, 0o4755, 0)
        os.close(call(437, 2**64 - 100, path.encode(), how, len(how)))
        return os.stat(path).st_mode & 0o4000

    attack(create)
