# wants: EPERM
# reports: unshare
def unshare():
    before = os.stat("/proc/self/ns/uts").st_ino
    call(272, 0x04000000)
    return os.stat("/proc/self/ns/uts").st_ino != before


attack(unshare)
