/* Races the broker: while one thread calls, another changes what the call was
 * about. Prints how many calls each way of answering got.
 *
 *   race address TRIES HOST PERMITTED DENIED   flips the port under connect
 *   race listen TRIES DARK 80                  swaps a host socket in under listen
 *   race bind TRIES DARK 80 HOST               swaps a host socket in under bind
 *   race connect TRIES DARK 80 HOST PORT       swaps a host socket in under connect
 *
 * A race ends before TRIES where each takes more than 0.5 ms.
 * DARK is a permitted host that never answers: a connect to it leaves a host
 * socket in our hands. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define TARGET 40 /* the descriptor that is called on and swapped */

static volatile int done;
static struct sockaddr_in address;
static volatile in_port_t *const port = &address.sin_port;
static in_port_t ports[2];
static int files[2];
static struct sockaddr_in forbidden;
static long results[200];

static void *flip_port(void *unused)
{
	for (unsigned i = 0; !done; i++)
		*port = ports[i & 1];
	return unused;
}

static void *swap_file(void *unused)
{
	for (unsigned i = 0; !done; i++)
		dup2(files[i & 1], TARGET);
	return unused;
}

static void count(int result)
{
	int error = result ? errno : 0;

	results[error < 200 ? error : 199]++;
}

static int tcp(void)
{
	return socket(AF_INET, SOCK_STREAM, 0);
}

/* A host socket that is not connected: its connect was broken off. */
static int host_socket(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0 || errno != EINPROGRESS)
		exit(125);
	shutdown(fd, SHUT_RDWR);
	return fd;
}

/* Whether a race of so many tries is over: a slow machine ends it after half a
 * millisecond for each, the long race as well. */
static int over(long i, long tries)
{
	static time_t began;
	if (!began)
		began = time(NULL);
	return i >= tries || time(NULL) - began > 1 + tries / 2000;
}

static void race_address(long tries, char **ports_text)
{
	ports[0] = htons((uint16_t)atoi(ports_text[0]));
	ports[1] = htons((uint16_t)atoi(ports_text[1]));
	for (long i = 0; !over(i, tries); i++) {
		int fd = tcp();
		count(connect(fd, (struct sockaddr *)&address, sizeof address));
		close(fd);
	}
}

static int is_listening(int fd)
{
	int listening = 0;
	socklen_t size = sizeof listening;

	getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size);
	return listening;
}

/* One call on TARGET while it is swapped. The broker may have taken the host
 * socket back, so a new one is made each time; one that listens is kept for the
 * test to see, unless there are many. */
static void race_file(long tries, int family, int (*call)(void))
{
	int kept = 0;

	for (long i = 0; !over(i, tries); i++) {
		int own = socket(family, SOCK_STREAM, 0);

		files[1] = host_socket();
		dup2(own, files[0]);
		close(own);
		count(call());
		if (!is_listening(files[1]) || ++kept > 50)
			close(files[1]);
	}
}

static int call_listen(void)
{
	return listen(TARGET, 1);
}

/* An address of the host: only there it can be bound. */
static int call_bind(void)
{
	return bind(TARGET, (struct sockaddr *)&forbidden, sizeof forbidden);
}

static int call_connect(void)
{
	return connect(TARGET, (struct sockaddr *)&forbidden, sizeof forbidden);
}

int main(int argc, char **argv)
{
	if (argc < 5)
		return 125;
	long tries = atol(argv[2]);
	pthread_t thread;

	address.sin_family = AF_INET;
	inet_pton(AF_INET, argv[3], &address.sin_addr);
	if (!strcmp(argv[1], "address")) {
		pthread_create(&thread, NULL, flip_port, NULL);
		race_address(tries, argv + 4);
	} else {
		int family = strcmp(argv[1], "bind") ? AF_INET : AF_UNIX;
		address.sin_port = htons((uint16_t)atoi(argv[4]));
		forbidden.sin_family = AF_INET;
		if (argc > 5)
			inet_pton(AF_INET, argv[5], &forbidden.sin_addr);
		if (argc > 6)
			forbidden.sin_port = htons((uint16_t)atoi(argv[6]));
		files[0] = socket(family, SOCK_STREAM, 0);
		files[1] = host_socket();
		pthread_create(&thread, NULL, swap_file, NULL);
		race_file(tries, family, family == AF_UNIX ? call_bind : argc > 6 ? call_connect : call_listen);
	}
	done = 1;
	pthread_join(thread, NULL);
	for (int i = 0; i < 200; i++)
		if (results[i])
			printf("%s %ld\n", i ? strerrorname_np(i) : "success", results[i]);
	return 0;
}
