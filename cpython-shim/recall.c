/* The plan of the last run with the same command line, sent to the stage before
 * the Go runtime has started.
 *
 * It is a guess. The supervisor makes its own plan and lets the program go only
 * if that is the same, byte for byte, so a memo decides nothing: it may be
 * missing, old or wrong. Runs in: the supervisor, before Go. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "begin.h"
#include "stage.h"

#define LARGEST_MEMO (1 << 20)

/* FNV-1a, 64 bits. */
static uint64_t mix(uint64_t hash, const char *s)
{
	do {
		hash ^= (uint8_t)*s;
		hash *= 0x100000001b3u;
	} while (*s++);
	return hash;
}

/* Whether what follows a word belongs to the program: its arguments go with GO
 * and change no plan. */
static bool ends_flags(const char *word)
{
	size_t n = strlen(word);
	return !strcmp(word, "-c") || (n > 3 && !strcmp(word + n - 3, ".py"));
}

/* Whether a file may not be as large as a plan: to write one would bring SIGXFSZ,
 * which ends a process that has not set up its signals. */
static bool files_are_limited(void)
{
	struct rlimit limit;
	return getrlimit(RLIMIT_FSIZE, &limit) || limit.rlim_cur < LARGEST_MEMO;
}

/* Returns 0 for a run that is not recalled: one with a terminal has rules for it,
 * which the stage cannot add before it has it. */
static uint64_t key_of(int argc, char **argv)
{
	char directory[4096];
	uint64_t hash = 0xcbf29ce484222325u;

	if (files_are_limited() || isatty(0) || isatty(1) || isatty(2) || !getcwd(directory, sizeof directory))
		return 0;
	hash = mix(hash, directory);
	for (int i = 1; i < argc; i++) {
		hash = mix(hash, argv[i]);
		if (ends_flags(argv[i]))
			break;
	}
	return hash ? hash : 1;
}

/* Writes the directory of memos, which internal/host.UserCache names too. */
static int directory_of(char *out, size_t room)
{
	const char *base = getenv("XDG_CACHE_HOME"), *below = "";

	if (geteuid() == 0) {
		base = "/var/cache";
	} else if (!base || base[0] != '/') {
		base = getenv("HOME");
		below = "/.cache";
	}
	if (!base || base[0] != '/' || strlen(base) + sizeof "/.cache/pysandbox/plans/0123456789abcdef" > room)
		return -ENOENT;
	text_copy(text_copy(text_copy(out, base), below), "/pysandbox/plans/");
	return 0;
}

/* Names the file of a command line; an empty name: it has none. Two may share one;
 * the memo says whose it is. Binaries side by side have memos of their own. */
static void name_file(char *path, size_t room, const struct psb_memo_header *head)
{
	path[0] = 0;
	if (head->key && !directory_of(path, room))
		text_number(path + strlen(path),
			    (head->key + head->program.inode) % PSB_MEMO_SLOTS);
}

/* Opens a file of a directory that no other user can look into. O_NONBLOCK: what is
 * there may be a FIFO. */
static int open_own(const char *path)
{
	char directory[sizeof psb_begun.memo_file];
	struct stat st;
	int file = -1;

	text_copy(directory, path);
	char *name = strrchr(directory, '/');
	*name++ = 0;
	int dir = open(directory, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return -1;
	if (!fstat(dir, &st) && st.st_uid == geteuid() && !(st.st_mode & 077))
		file = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	close(dir);
	return file;
}

/* Reads a file that only this user can have written. Returns its size, or 0. */
static size_t read_own(const char *path, uint8_t **bytes)
{
	struct stat st;
	ssize_t n = -1;
	int fd = open_own(path);

	if (fd < 0)
		return 0;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
	    !(st.st_mode & 077) && st.st_size > 0 && st.st_size <= LARGEST_MEMO) {
		*bytes = malloc((size_t)st.st_size);
		n = *bytes ? read(fd, *bytes, (size_t)st.st_size) : -1;
	}
	close(fd);
	return n == st.st_size ? (size_t)n : 0;
}

/* The running binary: another one may number operations differently. */
static void identify(struct psb_identity *id)
{
	struct stat st;
	memset(id, 0, sizeof *id);
	if (stat("/proc/self/exe", &st))
		return;
	id->device = st.st_dev;
	id->inode = st.st_ino;
	id->size = (uint64_t)st.st_size;
	id->seconds = (uint64_t)st.st_mtim.tv_sec;
	id->nanoseconds = (uint64_t)st.st_mtim.tv_nsec;
}

/* Reads source i of a memo at *at and moves on. Returns 0 or -EBADMSG. */
static int next_source(const uint8_t *memo, size_t size, size_t *at, struct psb_source *source)
{
	struct psb_memo_source raw;

	if (size - *at < sizeof raw)
		return -EBADMSG;
	memcpy(&raw, memo + *at, sizeof raw);
	*at += sizeof raw;
	if (!raw.length || raw.length > size - *at || memo[*at + raw.length - 1])
		return -EBADMSG;
	*source = (struct psb_source){ (const char *)memo + *at, raw.map, raw.uid, raw.gid };
	*at += raw.length;
	return 0;
}

static int send_sources(int control, const int *fds, uint32_t count)
{
	int err = 0;
	for (uint32_t i = 0; !err && i < count; i += PSB_FDS_PER_MESSAGE) {
		uint32_t n = count - i < PSB_FDS_PER_MESSAGE ? count - i : PSB_FDS_PER_MESSAGE;
		err = send_fds(control, PSB_MSG_FDS, fds + i, n);
	}
	return err;
}

static int send_plan(int control, const uint8_t *plan, size_t size)
{
	int fd = memfd_create("pysandbox plan", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int err = -1;
	if (fd < 0)
		return -1;
	if (write(fd, plan, size) == (ssize_t)size &&
	    !fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE))
		err = send_fds(control, PSB_MSG_PLAN, &fd, 1);
	close(fd);
	return err;
}

/* Opens the sources of a memo into fds; *at is behind them then. Returns 0 or -errno;
 * in either case *opened have been opened. */
static int open_sources(const uint8_t *memo, size_t size, size_t *at, uint32_t id, int *fds,
			uint32_t *opened)
{
	struct psb_idmaps maps = { .id = id };
	uint32_t count;
	int step, err = 0;

	memcpy(&count, memo, sizeof count);
	*at = sizeof count;
	if (count > PSB_MAX_DONATED)
		return -EBADMSG;
	while (!err && *opened < count) {
		struct psb_source source;
		err = next_source(memo, size, at, &source);
		int fd = err ? err : source_open(&source, &maps, &step);
		if (fd >= 0)
			fds[(*opened)++] = fd;
		err = fd < 0 ? fd : 0;
	}
	idmaps_close(&maps);
	return err;
}

/* Sends nothing unless every source can be opened. */
static enum psb_recall send_memo(int control, const uint8_t *memo, size_t size, uint32_t id)
{
	int fds[PSB_MAX_DONATED];
	uint32_t opened = 0;
	size_t at;
	enum psb_recall result = PSB_RECALL_NONE;

	if (!open_sources(memo, size, &at, id, fds, &opened)) {
		result = PSB_RECALL_SENT;
		if (send_sources(control, fds, opened) || send_plan(control, memo + at, size - at))
			result = PSB_RECALL_BROKEN;
	}
	while (opened)
		close(fds[--opened]);
	return result;
}

/* Sends what is noted for this command line, if anything is, and tells the
 * supervisor in psb_begun. id: the leased uid, or 0. */
void recall_plan(int argc, char **argv, uint32_t id)
{
	struct psb_memo_header head, *now = &psb_begun.memo_header;
	uint8_t *bytes = NULL;

	now->magic = PSB_MEMO_MAGIC;
	now->key = key_of(argc, argv);
	identify(&now->program);
	name_file(psb_begun.memo_file, sizeof psb_begun.memo_file, now);
	size_t size = psb_begun.memo_file[0] ? read_own(psb_begun.memo_file, &bytes) : 0;
	if (size < sizeof head + sizeof(uint32_t))
		return;
	memcpy(&head, bytes, sizeof head);
	if (memcmp(&head, now, sizeof head))
		return;
	psb_begun.recalled = bytes + sizeof head;
	psb_begun.recalled_size = size - sizeof head;
	psb_begun.recall =
		send_memo(psb_begun.control, psb_begun.recalled, psb_begun.recalled_size, id);
}
