# wants: EPERM
# reports: process_vm_writev
target = ctypes.create_string_buffer(b"before")
source = ctypes.create_string_buffer(b"after!")


def write():
    local = struct.pack("QQ", ctypes.addressof(source), 6)
    remote = struct.pack("QQ", ctypes.addressof(target), 6)
    call(311, os.getpid(), local, 1, remote, 1, 0)
    return target.value == b"after!"


attack(write)
if target.value != b"before" and target.value != b"after!":
    print("half written")
