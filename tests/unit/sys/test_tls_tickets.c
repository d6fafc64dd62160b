/* SPDX-License-Identifier: ISC */
#include "sys/tls_tickets.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/unit.h"

START_TEST(rotates)
{
	struct tls_ticket_key first, key, found;
	struct tls_tickets *t;
	int fd = tls_tickets_create(), i;

	ck_assert_int_ge(fd, 0);
	t = tls_tickets_map(fd);
	ck_assert_ptr_nonnull(t);
	ck_assert_int_eq(tls_tickets_current(t, &first), 0);
	ck_assert_int_eq(tls_tickets_find(t, first.name, &found),
	    TLS_TICKET_CURRENT);
	for (i = 1; i < TLS_TICKETS_KEYS; i++) {
		ck_assert_int_eq(tls_tickets_rotate(fd), 0);
		ck_assert_int_eq(tls_tickets_current(t, &key), 0);
		ck_assert_mem_ne(&key, &first, sizeof key);
		ck_assert_int_eq(tls_tickets_find(t, first.name, &found),
		    TLS_TICKET_OLDER);
		ck_assert_mem_eq(&found, &first, sizeof found);
	}
	ck_assert_int_eq(tls_tickets_rotate(fd), 0);
	ck_assert_int_eq(tls_tickets_find(t, first.name, &found),
	    TLS_TICKET_UNKNOWN);
	tls_tickets_unmap(&t);
	ck_assert_ptr_null(t);
}
END_TEST

START_TEST(readers_cannot_write)
{
	int fd = tls_tickets_create(), reader;
	struct tls_tickets *t;

	ck_assert_int_eq(ftruncate(fd, 0), -1);
	reader = tls_tickets_reader(fd);
	ck_assert_int_ge(reader, 0);
	t = tls_tickets_map(reader);
	ck_assert_ptr_nonnull(t);
	ck_assert_int_eq(tls_tickets_rotate(reader), -1);
	ck_assert_ptr_eq(mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, reader, 0),
	    MAP_FAILED);
	ck_assert_int_eq(write(reader, "x", 1), -1);
	ck_assert_int_eq(mprotect(t, 4096, PROT_READ | PROT_WRITE), -1);
}
END_TEST

START_TEST(refuses_other_files)
{
	int fd = memfd_create("x", 0);

	ck_assert_ptr_null(tls_tickets_map(fd));
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_int_eq(ftruncate(fd, 4096), 0);
	ck_assert_ptr_null(tls_tickets_map(fd));
	ck_assert_ptr_null(tls_tickets_map(-1));
}
END_TEST

/* A name always comes with its own key while another process rotates. */
START_TEST(never_torn)
{
	struct tls_ticket_key a, b;
	struct tls_tickets *t;
	int fd = tls_tickets_create(), i, bad = 0;
	pid_t pid;

	t = tls_tickets_map(fd);
	pid = fork();
	if (pid == 0) {
		for (i = 0; i < 20000; i++)
			if (tls_tickets_rotate(fd) < 0)
				_exit(1);
		_exit(0);
	}
	while (waitpid(pid, &i, WNOHANG) == 0)
		if (tls_tickets_current(t, &a) == 0 &&
		    tls_tickets_find(t, a.name, &b) != TLS_TICKET_UNKNOWN)
			bad += memcmp(&a, &b, sizeof a) != 0;
	ck_assert_int_eq(bad, 0);
	ck_assert_int_eq(i, 0);
}
END_TEST

UNIT_SUITE(tls_tickets, {
	tcase_add_test(tc, rotates);
	tcase_add_test(tc, readers_cannot_write);
	tcase_add_test(tc, refuses_other_files);
	tcase_add_test(tc, never_torn);
})
