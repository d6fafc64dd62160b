/* SPDX-License-Identifier: ISC */
/* Jobs for sys/workers.h; nothing of a job is shared while it runs. */
#include "auth/hashing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sys/log.h"
#include "sys/loop.h"
#include "sys/scram_keys.h"
#include "sys/workers.h"

struct job {
	struct check check;
	struct password_policy policy;
	hashing_done *done;
	void *arg;
};

static struct {
	struct workers *workers;
	struct loop_io io;
	struct password_policy policy;
	struct buf dummy;
} self;

static void
job_free(struct job *j)
{
	buf_fini_secret(&j->check.password);
	stored_fini(&j->check.stored);
	stored_fini(&j->check.fresh);
	free(j);
}

/* ---- in a worker ---- */

static bool
is_current(const struct check *c, const struct password_policy *p)
{
	struct scram_keys keys;
	bool result;

	if (c->stored.crypt.n == 0 ||
	    !password_is_current(buf_slice(&c->stored.crypt), p) ||
	    scram_keys_parse(buf_slice(&c->stored.scram), &keys) < 0)
		return false;
	result = keys.iterations >= SCRAM_ITERATIONS_MIN;
	scram_keys_wipe(&keys);
	return result;
}

static void
make_fresh(struct check *c, const struct password_policy *p)
{
	struct password_policy scram = { .scheme = PASSWORD_SCRAM,
		.scram_iterations = p->scram_iterations };
	struct slice password = buf_slice(&c->password);

	c->has_fresh =
	    password_make(password, p, &c->fresh.crypt) == 0 &&
	    password_make(password, &scram, &c->fresh.scram) == 0;
}

static void
run(void *arg)
{
	struct job *j = arg;
	struct check *c = &j->check;

	c->result = password_check(buf_slice(&c->password),
	    stored_form(&c->stored));
	if (c->account != 0 && c->result == PASSWORD_RIGHT &&
	    !is_current(c, &j->policy))
		make_fresh(c, &j->policy);
}

/* ---- in the loop ---- */

static void
ended(void *arg, bool was_run)
{
	struct job *j = arg;

	if (!was_run)
		j->check.result = PASSWORD_NO_MEMORY;
	j->done(j->arg, &j->check);
	job_free(j);
}

static void
on_ready(void *arg, unsigned what)
{
	(void)arg;
	(void)what;
	(void)workers_collect(self.workers);
}

void
hashing_start(struct loop *l, unsigned threads)
{
	if (workers_new(threads, WORKERS_LIMIT_MAX, &self.workers) < 0)
		fatal("event=no_threads why=%s", LOG_S(strerror(errno)));
	loop_io_init(&self.io, l, workers_fd(self.workers), on_ready, NULL);
	loop_io_want(&self.io, LOOP_READ);
}

void
hashing_stop(void)
{
	loop_io_remove(&self.io);
	workers_free(&self.workers);
	buf_fini_secret(&self.dummy);
}

int
hashing_set_policy(const struct password_policy *policy)
{
	struct buf dummy;

	buf_init(&dummy, PASSWORD_STORED_MAX);
	if (password_make_dummy(policy, &dummy) < 0) {
		buf_fini(&dummy);
		return -1;
	}
	if (self.dummy.max > 0)
		buf_fini(&self.dummy);
	self.dummy = dummy;
	self.policy = *policy;
	return 0;
}

size_t
hashing_pending(void)
{
	return self.workers == NULL ? 0 : workers_pending(self.workers);
}

int
hashing_check(uint64_t account, struct slice password,
    const struct stored *stored, size_t limit, hashing_done *done, void *arg)
{
	struct job *j;

	if (hashing_pending() >= limit || (j = calloc(1, sizeof *j)) == NULL)
		return -1;
	*j = (struct job){ .policy = self.policy, .done = done, .arg = arg };
	buf_init(&j->check.password, PASSWORD_MAX);
	buf_add_slice(&j->check.password, password);
	stored_init(&j->check.stored);
	stored_init(&j->check.fresh);
	if (stored != NULL && stored_form(stored).n > 0) {
		j->check.account = account;
		buf_add_slice(&j->check.stored.crypt,
		    buf_slice(&stored->crypt));
		buf_add_slice(&j->check.stored.scram,
		    buf_slice(&stored->scram));
	} else {
		buf_add_slice(&j->check.stored.crypt, buf_slice(&self.dummy));
	}
	if (buf_is_ok(&j->check.password) &&
	    buf_is_ok(&j->check.stored.crypt) &&
	    buf_is_ok(&j->check.stored.scram) &&
	    workers_submit(self.workers, run, ended, j) == 0)
		return 0;
	job_free(j);
	return -1;
}
