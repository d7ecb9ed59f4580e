/* The report of a run that the caller's own limits refuse before Go can run, so that
 * no earlier one is taken for it. Runs in: the supervisor, before Go, at its end. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "begin.h"
#include "stage.h"

/* The flags of exec that need no value; cmd/pysandbox holds that these are all. */
static const char *const alone[] = { "--allow-spawn", "--quiet", "--help" };

/* Those with one; what else begins with two dashes is none of ours. */
static const char *const valued[] = {
	"--allow-env", "--allow-net", "--allow-read", "--allow-write", "--audit", "--capabilities",
	"--cpu", "--cwd", "--deny-net", "--env", "--env-file", "--file-size", "--host-loopback",
	"--listen", "--memory", "--open-files", "--output", "--pids", "--policy", "--preset",
	"--python", "--report", "--require", "--timeout", "--tmp-size",
};

static bool begins(const char *word, const char *with)
{
	return !strncmp(word, with, strlen(with));
}

static bool is_in(const char *const *list, size_t count, const char *word)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(word, list[i]))
			return true;
	return false;
}

/* Where a flag, or else a variable, says that an account goes; 0 if nowhere, or if
 * the line has a flag that is not known: then nobody knows where the program begins,
 * behind which all is the program's. */
static const char *destination(int argc, char **argv, const char *flag, const char *variable)
{
	const char *found = "";
	size_t length = strlen(flag);

	for (int i = 2; i < argc; i++) {
		const char *word = argv[i];
		if (word[0] != '-' || !word[1] || !strcmp(word, "--") || begins(word, "--code") ||
		    begins(word, "--module"))
			break;
		if (word[1] != '-') {
			if (word[1 + strspn(word + 1, "qh")])
				break; /* -c and -m are the last ones */
			continue;
		}
		if (begins(word, flag) && word[length] == '=')
			found = word + length + 1;
		if (strchr(word, '=') || is_in(alone, sizeof alone / sizeof *alone, word))
			continue;
		if (!is_in(valued, sizeof valued / sizeof *valued, word))
			return 0;
		if (++i < argc && !strcmp(word, flag))
			found = argv[i];
	}
	if (!*found)
		found = getenv(variable);
	return found && *found && strcmp(found, "-") ? found : 0;
}

/* The caller's descriptor that a destination names, as OpenDestination of supervisor
 * reads it; -1: it names a file, -2: it names none. */
static int passed(const char *to)
{
	static const char *const before[] = { "fd:", "/dev/fd/", "/proc/self/fd/" };
	uint32_t number;

	if (!strcmp(to, "/dev/stdout"))
		return STDOUT_FILENO;
	if (!strcmp(to, "/dev/stderr"))
		return STDERR_FILENO;
	for (size_t i = 0; i < sizeof before / sizeof *before; i++)
		if (begins(to, before[i]))
			return text_parse(to + strlen(before[i]), &number) || number > INT_MAX ? -2 : (int)number;
	return -1;
}

/* Opens a file as OpenDestination does: root follows no link, and an ordinary user's
 * file or link is replaced by a new one. */
static int open_file(const char *path)
{
	struct stat st;
	struct open_how how = { .flags = O_WRONLY | O_CREAT | O_NONBLOCK | O_CLOEXEC | O_NOCTTY, .mode = 0644 };

	if (geteuid() == 0) {
		how.resolve = RESOLVE_NO_SYMLINKS;
	} else if (stat(path, &st) || S_ISREG(st.st_mode)) {
		if (unlink(path) && errno != ENOENT)
			return -1;
		how.flags |= O_EXCL; /* nothing that somebody puts there meanwhile */
	}
	close(STDIN_FILENO); /* gives room for one descriptor, if there is none */
	int fd = (int)sys4(SYS_openat2, AT_FDCWD, path, &how, sizeof how);
	if (fd < 0 || fstat(fd, &st))
		return -1;
	if (S_ISREG(st.st_mode) && (st.st_nlink > 1 || ftruncate(fd, 0)))
		return -1;
	return fd;
}

static bool are_one(const char *a, const char *b)
{
	struct stat first, second;
	return !stat(a, &first) && !stat(b, &second) && first.st_dev == second.st_dev &&
	       first.st_ino == second.st_ino && S_ISREG(first.st_mode);
}

void refusal_report(int argc, char **argv, const char *reason)
{
	static const char start[] = "{\"version\":1,\"outcome\":\"setup_failed\",\"reason\":\"";
	static const char end[] =
		"\",\"exit_code\":125,\"signal\":\"\",\"tier\":\"\",\"layers\":{\"userns\":false,\"netns\":false,"
		"\"landlock\":0,\"seccomp\":false,\"notify\":false,\"cgroup\":\"\"},\"usage\":{\"wall_seconds\":0,"
		"\"cpu_seconds\":0,\"peak_memory_bytes\":0,\"peak_pids\":0,\"whole_tree\":[]},"
		"\"limits_hit\":[],\"violations\":[],\"violations_dropped\":0}\n";
	char line[1024];

	if (argc < 2 || strcmp(argv[1], "exec"))
		return;
	const char *to = destination(argc, argv, "--report", "PYSANDBOX_REPORT");
	const char *trail = destination(argc, argv, "--audit", "PYSANDBOX_AUDIT");
	if (!to || (trail && are_one(to, trail)))
		return; /* the trail of earlier runs stays */
	signal(SIGXFSZ, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	int fd = passed(to);
	if (fd == -1)
		fd = open_file(to);
	text_copy(text_copy(text_copy(line, start), reason), end);
	struct stat st;
	size_t length = text_length(line);
	if (fd >= 0 && write(fd, line, length) != (ssize_t)length && !fstat(fd, &st) && S_ISREG(st.st_mode) &&
	    ftruncate(fd, 0))
		return; /* half a line is no report either */
}
