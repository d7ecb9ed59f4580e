/* The report of a run that the caller's own limits refuse before Go can run, so that
 * no earlier one is taken for it. Runs in: the supervisor, before Go, at its end. */
#include <errno.h>
#include <fcntl.h>
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

static bool begins(const char *word, const char *with)
{
	return !strncmp(word, with, strlen(with));
}

static bool is_alone(const char *word)
{
	for (size_t i = 0; i < sizeof alone / sizeof *alone; i++)
		if (!strcmp(word, alone[i]))
			return true;
	return false;
}

/* Where the report goes, or 0: what follows the program is the program's. */
static const char *destination(int argc, char **argv)
{
	const char *found = "";

	for (int i = 2; i < argc; i++) {
		const char *word = argv[i];
		if (word[0] != '-' || !word[1] || !strcmp(word, "--") || begins(word, "--code") ||
		    begins(word, "--module"))
			break;
		if (word[1] != '-' && word[1 + strspn(word + 1, "qh")])
			break; /* -c and -m are the last ones */
		if (begins(word, "--report="))
			found = word + strlen("--report=");
		if (word[1] != '-' || strchr(word, '=') || is_alone(word) || ++i == argc)
			continue;
		if (!strcmp(word, "--report"))
			found = argv[i];
	}
	if (!*found)
		found = getenv("PYSANDBOX_REPORT");
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
			return text_parse(to + strlen(before[i]), &number) ? -2 : (int)number;
	return -1;
}

/* Opens a file as OpenDestination does: root follows no link, and an ordinary user's
 * file or link is replaced by a new one. */
static int open_file(const char *path)
{
	struct stat st;
	struct open_how how = { .flags = O_WRONLY | O_CREAT | O_NONBLOCK | O_CLOEXEC | O_NOCTTY, .mode = 0644 };

	if (geteuid() == 0)
		how.resolve = RESOLVE_NO_SYMLINKS;
	else if ((stat(path, &st) || S_ISREG(st.st_mode)) && unlink(path) && errno != ENOENT)
		return -1;
	close(STDIN_FILENO); /* gives room for one descriptor, if there is none */
	int fd = (int)sys4(SYS_openat2, AT_FDCWD, path, &how, sizeof how);
	if (fd < 0 || fstat(fd, &st))
		return -1;
	if (S_ISREG(st.st_mode) && (st.st_nlink > 1 || ftruncate(fd, 0)))
		return -1;
	return fd;
}

void refusal_report(int argc, char **argv, const char *reason)
{
	static const char start[] = "{\"version\":1,\"outcome\":\"setup_failed\",\"reason\":\"";
	static const char end[] =
		"\",\"exit_code\":125,\"signal\":\"\",\"tier\":\"\",\"layers\":{\"userns\":false,\"netns\":false,"
		"\"landlock\":0,\"seccomp\":false,\"notify\":false,\"cgroup\":\"\"},\"usage\":{\"wall_seconds\":0,"
		"\"cpu_seconds\":0,\"peak_memory_bytes\":0,\"peak_pids\":0},\"violations\":[]}\n";
	char line[1024];

	if (argc < 2 || strcmp(argv[1], "exec"))
		return;
	const char *to = destination(argc, argv);
	if (!to)
		return;
	signal(SIGXFSZ, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	int fd = passed(to);
	if (fd == -1)
		fd = open_file(to);
	text_copy(text_copy(text_copy(line, start), reason), end);
	if (fd >= 0 && write(fd, line, text_length(line)) < 0)
		return; /* the file is empty: no report is taken for this run's */
}
