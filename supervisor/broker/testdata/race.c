/* Races the broker: while one thread calls, another changes what the call was
 * about. Prints how many calls each way of answering got.
 *
 *   race address TRIES HOST PERMITTED DENIED   flips the port under connect
 *   race listen TRIES HOST CLOSED              swaps a host socket in under listen
 *   race bind TRIES HOST CLOSED                swaps a host socket in under bind
 *   race connect TRIES HOST CLOSED DENIED WHERE  swaps a host socket in under connect
 *
 * CLOSED is a permitted port at which nobody listens: a connect to it leaves a
 * host socket in our hands. */
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

/* A host socket that is not connected: its connect was refused. */
static int host_socket(const char *closed)
{
	int fd = tcp();

	address.sin_port = htons((uint16_t)atoi(closed));
	connect(fd, (struct sockaddr *)&address, sizeof address);
	return fd;
}

static void race_address(long tries, char **ports_text)
{
	ports[0] = htons((uint16_t)atoi(ports_text[0]));
	ports[1] = htons((uint16_t)atoi(ports_text[1]));
	for (long i = 0; i < tries; i++) {
		int fd = tcp();
		count(connect(fd, (struct sockaddr *)&address, sizeof address));
		close(fd);
	}
}

/* One call on TARGET while it is swapped. */
static void race_file(long tries, const char *closed, int family, int (*call)(void))
{
	for (long i = 0; i < tries; i++) {
		if (i % 64 == 0) {
			close(files[1]);
			files[1] = host_socket(closed);
		}
		int own = socket(family, SOCK_STREAM, 0);
		dup2(own, files[0]);
		close(own);
		count(call());
	}
}

static int call_listen(void)
{
	return listen(TARGET, 1);
}

/* An address of the host: only there it can be bound. */
static int call_bind(void)
{
	struct sockaddr_in to = address;

	to.sin_port = 0;
	return bind(TARGET, (struct sockaddr *)&to, sizeof to);
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
		int unix_bind = !strcmp(argv[1], "bind");
		files[0] = socket(unix_bind ? AF_UNIX : AF_INET, SOCK_STREAM, 0);
		files[1] = host_socket(argv[4]);
		if (argc > 6) {
			forbidden.sin_family = AF_INET;
			forbidden.sin_port = htons((uint16_t)atoi(argv[5]));
			inet_pton(AF_INET, argv[6], &forbidden.sin_addr);
		}
		pthread_create(&thread, NULL, swap_file, NULL);
		if (unix_bind)
			race_file(tries, argv[4], AF_UNIX, call_bind);
		else if (!strcmp(argv[1], "listen"))
			race_file(tries, argv[4], AF_INET, call_listen);
		else
			race_file(tries, argv[4], AF_INET, call_connect);
	}
	done = 1;
	pthread_join(thread, NULL);
	for (int i = 0; i < 200; i++)
		if (results[i])
			printf("%s %ld\n", i ? strerrorname_np(i) : "success", results[i]);
	return 0;
}
