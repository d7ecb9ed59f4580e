"""Devices and kernel files that tell of the host, or change it.

attacks: /dev, /proc and /sys as they are inside
effect: a device or file can be opened
refused: ENOENT, EACCES, EROFS, EPERM, ENXIO, ENODEV, EISDIR
topic: /proc and /dev
"""

import os

from kit import attempt, effect, how

DEVICES = """
    mem kmsg port vda sda fuse kvm net/tun console loop-control userfaultfd vsock tty0 tty1
    hwrng rtc0 cpu_dma_latency
""".split()
FACTS = """
    cmdline kallsyms kcore modules interrupts iomem keys timer_list sched_debug sysrq-trigger net/../1/net/tcp
    bus/pci/devices fs/ext4 scsi/scsi sys/kernel/core_pattern sys/kernel/random/boot_id partitions diskstats
    sys/fs/binfmt_misc/status acpi vmallocinfo
""".split()
SETTINGS = """
    sys/kernel/hostname sys/net/ipv4/ip_forward sys/vm/overcommit_memory self/oom_score_adj self/uid_map
    self/gid_map self/setgroups self/timens_offsets self/loginuid self/coredump_filter self/comm
    self/attr/current
""".split()

if how == "devices":
    for path in map("/dev/{}".format, DEVICES):
        with attempt():
            os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK))
            effect(path)
elif how == "facts":
    for path in FACTS:
        with attempt():
            if os.read(os.open("/proc/" + path, os.O_RDONLY | os.O_NONBLOCK), 1):
                effect(path)
elif how == "settings":
    for path in SETTINGS:
        with attempt():
            os.close(os.open("/proc/" + path, os.O_WRONLY))
            effect(path)
elif how == "sys":
    for path in ["/sys/kernel", "/sys/fs/cgroup", "/sys/class", "/sys/firmware",
                 "/sys/devices/system/cpu/cpu0"]:
        with attempt():
            os.listdir(path)
            effect(path)
