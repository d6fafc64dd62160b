/* SPDX-License-Identifier: ISC */
/*
 * A full disk: everything that needs room is refused, what frees some still
 * works, nothing diverges. Needs a small file system of its own; without the
 * right to mount one there is nothing to test.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "mda/mailbox.h"
#include "tests/unit/mda/world.h"
#include "tests/unit/unit.h"

static struct world w;

static bool
write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) > 0;

	if (fd >= 0)
		(void)close(fd);
	return ok;
}

/* In a user namespace of our own, where we must be somebody to have files. */
static bool
unshare_as_user(void)
{
	char uids[64], gids[64];

	(void)snprintf(uids, sizeof uids, "%u %u 1", (unsigned)geteuid(),
	    (unsigned)geteuid());
	(void)snprintf(gids, sizeof gids, "%u %u 1", (unsigned)getegid(),
	    (unsigned)getegid());
	return unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 &&
	    write_file("/proc/self/setgroups", "deny") &&
	    write_file("/proc/self/uid_map", uids) &&
	    write_file("/proc/self/gid_map", gids);
}

static bool
mount_small(const char *size)
{
	char options[64];

	world_make(&w);
	(void)snprintf(options, sizeof options, "size=%s,mode=0700", size);
	if ((geteuid() != 0 || unshare(CLONE_NEWNS) < 0) &&
	    !unshare_as_user())
		return false;
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", w.dir, "tmpfs", 0, options) < 0)
		return false;
	return true;
}

static void
end(void)
{
	world_close(&w);
	(void)umount(w.dir);
	world_drop(&w);
}

/* Takes all room there is. */
static void
hog(void)
{
	static const size_t sizes[] = { 65536, 4096, 1 };
	char path[128];
	char *bytes = calloc(1, 65536);
	size_t i;
	int fd;

	(void)snprintf(path, sizeof path, "%s/hog", w.dir);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
	ck_assert_int_ge(fd, 0);
	for (i = 0; i < 3; i++)
		while (write(fd, bytes, sizes[i]) > 0)
			continue;
	(void)close(fd);
	free(bytes);
}

static enum mbox_result
add(size_t size)
{
	struct append what = { .sync = true };
	char *text = calloc(1, size + 1);
	enum mbox_result r;

	memset(text, 'x', size);
	memcpy(text, "A: b\r\n\r\n", 8);
	r = world_append(&w, "INBOX", &what, text).r;
	free(text);
	return r;
}

static void
check_counts(struct mailbox *m)
{
	uint64_t bytes, messages, size = 0;
	uint32_t uid, n = 0;

	for (uid = 1; uid < mailbox_info(m)->uidnext; uid++)
		if (mailbox_message(m, uid) != NULL) {
			n++;
			size += mailbox_message(m, uid)->size;
			ck_assert_ptr_nonnull(world_read(&w, m, uid, 0, 8));
		}
	ck_assert_uint_eq(mailbox_info(m)->messages, n);
	account_usage(w.a, &bytes, &messages);
	ck_assert_uint_eq(messages, n);
	ck_assert_uint_eq(bytes, size);
}

/* Large messages, many small ones, and somebody else who takes the rest. */
START_TEST(full)
{
	static const size_t sizes[] = { 30000, 200, 200 };
	struct mailbox *m;
	enum mbox_result r = MBOX_OK;
	uint32_t uid, n;
	unsigned i;

	if (!mount_small("4m"))
		return;
	ck_assert_int_eq(world_open(&w), 0);
	for (i = 0; r == MBOX_OK && i < 10000; i++) {
		if (_i == 2 && i == 100)
			hog();
		r = add(sizes[_i]);
	}
	ck_assert_int_eq(r, MBOX_FULL);
	ck_assert_uint_gt(i, 20);
	if (_i != 2)
		hog();
	m = world_mailbox(&w, "INBOX");
	ck_assert_ptr_nonnull(m);
	check_counts(m);
	n = mailbox_info(m)->messages;
	for (i = 0, r = MBOX_OK; r == MBOX_OK && i < 10000; i++)
		r = world_copy(&w, m, (uint32_t[]){ 1 }, 1, "INBOX", false,
		    NULL, NULL);
	ck_assert_int_eq(r, MBOX_FULL);
	check_counts(m);
	n = mailbox_info(m)->messages;
	/* Flags, and flags again. */
	for (i = 0; i < 20; i++)
		for (uid = 1; uid < mailbox_info(m)->uidnext; uid += 7)
			if (mailbox_message(m, uid) != NULL)
				ck_assert_int_eq(world_flag(&w, m, uid,
					FLAGS_REPLACE, 1U << (i % 5)),
				    MBOX_OK);
	check_counts(m);
	/* One by one, then all that is left. */
	for (uid = 1, i = 0; i < 10; uid++)
		if (mailbox_message(m, uid) != NULL) {
			ck_assert_int_eq(world_expunge(&w, m, &uid, 1, true),
			    MBOX_OK);
			i++;
		}
	check_counts(m);
	ck_assert_uint_eq(mailbox_info(m)->messages, n - 10);
	{
		uint32_t *uids = calloc(n, sizeof *uids);
		size_t k = 0;

		for (uid = 1; uid < mailbox_info(m)->uidnext; uid++)
			if (mailbox_message(m, uid) != NULL)
				uids[k++] = uid;
		ck_assert_int_eq(world_expunge(&w, m, uids, k, true),
		    MBOX_OK);
		free(uids);
	}
	ck_assert_uint_eq(mailbox_info(m)->messages, 0);
	world_settle(&w);
	ck_assert_int_eq(world_count(&w, "cur") + world_count(&w, "new"), 0);
	/* Now there is room. */
	ck_assert_int_eq(add(200), MBOX_OK);
	check_counts(m);
	mailbox_close(&m);
	world_reopen(&w);
	m = world_mailbox(&w, "INBOX");
	check_counts(m);
	ck_assert_uint_eq(mailbox_info(m)->messages, 1);
	mailbox_close(&m);
	end();
}
END_TEST

UNIT_SUITE(full, {
	tcase_add_loop_test(tc, full, 0, 3);
})
