# layers: base threads ipc files_write subprocess net
import locale, os, platform, pwd, resource, shutil, sys, sysconfig, uuid

platform.uname(), os.getloadavg(), os.cpu_count(), os.sched_getaffinity(0), os.getcwd(), os.listdir("/")
resource.setrlimit(resource.RLIMIT_CORE, (0, 0)), resource.getrlimit(resource.RLIMIT_NOFILE)
os.nice(0), os.getpriority(os.PRIO_PROCESS, 0), os.umask(0o22), os.uname(), os.statvfs("/"), os.times()
for policy in os.SCHED_BATCH, os.SCHED_IDLE, os.SCHED_OTHER:
    os.sched_setscheduler(0, policy, os.sched_param(0))
    assert os.sched_getscheduler(0) == policy
shutil.disk_usage("/"), locale.getpreferredencoding(), pwd.getpwuid(0), sys.getallocatedblocks(), os.isatty(0)
sysconfig.get_paths(), uuid.uuid1(), uuid.uuid4()
