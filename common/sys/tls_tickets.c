/* SPDX-License-Identifier: ISC */
/*
 * The shared page of ticket keys. One writer, many readers, no lock that a
 * dead process could leave closed: `turn` is odd while master writes, and a
 * reader that saw it odd or changed copies again.
 */
#include "sys/tls_tickets.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	PAGE_BYTES = 4096,
	MAGIC = 0x56545354, /* changes with the layout */
	TRIES = 1000        /* then the writer died half-way: no tickets */
};

struct tls_tickets {
	uint32_t magic;
	uint32_t count;
	atomic_uint turn;
	struct tls_ticket_key keys[TLS_TICKETS_KEYS]; /* newest first */
};

static struct tls_tickets *
map(int fd, int prot)
{
	struct tls_tickets *t;

	t = mmap(NULL, PAGE_BYTES, prot, MAP_SHARED, fd, 0);
	return t == MAP_FAILED ? NULL : t;
}

int
tls_tickets_create(void)
{
	static const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
	int fd, saved;

	fd = memfd_create("tickets", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -1;
	/* A size that cannot change: no reader dies of SIGBUS. */
	if (ftruncate(fd, PAGE_BYTES) == 0 && fchmod(fd, 0600) == 0 &&
	    fcntl(fd, F_ADD_SEALS, seals) == 0 && tls_tickets_rotate(fd) == 0)
		return fd;
	saved = errno;
	(void)close(fd);
	errno = saved;
	return -1;
}

static int
make_key(struct tls_ticket_key *k)
{
	return getrandom(k, sizeof *k, 0) == (ssize_t)sizeof *k ? 0 : -1;
}

int
tls_tickets_rotate(int fd)
{
	struct tls_ticket_key fresh;
	struct tls_tickets *t;
	unsigned turn;

	if (make_key(&fresh) < 0)
		return -1;
	t = map(fd, PROT_READ | PROT_WRITE);
	if (t == NULL)
		return -1;
	turn = atomic_load(&t->turn) | 1;
	atomic_store(&t->turn, turn);
	memmove(t->keys + 1, t->keys,
	    (TLS_TICKETS_KEYS - 1) * sizeof *t->keys);
	t->keys[0] = fresh;
	if (t->count < TLS_TICKETS_KEYS)
		t->count++;
	t->magic = MAGIC;
	atomic_store(&t->turn, turn + 1);
	explicit_bzero(&fresh, sizeof fresh);
	(void)munmap(t, PAGE_BYTES);
	return 0;
}

int
tls_tickets_reader(int fd)
{
	char path[32];

	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	return open(path, O_RDONLY | O_CLOEXEC);
}

struct tls_tickets *
tls_tickets_map(int fd)
{
	struct tls_tickets *t;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return NULL;
	if (st.st_size < PAGE_BYTES) {
		errno = EINVAL;
		return NULL;
	}
	t = map(fd, PROT_READ);
	if (t != NULL && t->magic != MAGIC) {
		tls_tickets_unmap(&t);
		errno = EINVAL;
	}
	return t;
}

void
tls_tickets_unmap(struct tls_tickets **t)
{
	if (*t != NULL)
		(void)munmap(*t, PAGE_BYTES);
	*t = NULL;
}

/* The index of the key of that name (NULL: of the newest), copied from a state
 * of the page that no writer touched meanwhile; -1 for none. */
static int
look(const struct tls_tickets *t, const unsigned char *name,
    struct tls_ticket_key *key_r)
{
	const atomic_uint *turn = &t->turn;
	unsigned before;
	int i, tries, at;

	for (tries = 0; tries < TRIES; tries++) {
		before = atomic_load(turn);
		if ((before & 1) != 0)
			continue;
		at = name == NULL && t->count > 0 ? 0 : -1;
		for (i = 0; name != NULL && i < TLS_TICKETS_KEYS; i++)
			if ((uint32_t)i < t->count &&
			    memcmp(t->keys[i].name, name, 16) == 0)
				at = i;
		if (at >= 0)
			*key_r = t->keys[at];
		atomic_thread_fence(memory_order_acquire);
		if (atomic_load(turn) == before)
			return at;
	}
	return -1;
}

int
tls_tickets_current(const struct tls_tickets *t, struct tls_ticket_key *key_r)
{
	return look(t, NULL, key_r) < 0 ? -1 : 0;
}

enum tls_ticket_age
tls_tickets_find(const struct tls_tickets *t, const unsigned char name[16],
    struct tls_ticket_key *key_r)
{
	int at = look(t, name, key_r);

	if (at < 0)
		return TLS_TICKET_UNKNOWN;
	return at == 0 ? TLS_TICKET_CURRENT : TLS_TICKET_OLDER;
}
