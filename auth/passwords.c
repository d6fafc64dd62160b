/* SPDX-License-Identifier: ISC */
/* Two tables: passwords by number, and meta with the server's secret. */
#include "auth/passwords.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "auth/record.h"
#include "sys/password.h"
#include "sys/scram_keys.h"

enum { PASSWORD_CRYPT = 1, PASSWORD_SCRAM_KEYS = 2, PASSWORD_CHANGED = 3,
	META_VALUE = 1, SECRET_SIZE = 32, ROW_MAX = 4096 };

struct passwords {
	struct table_env *env;
	struct table *passwords, *meta;
	struct buf secret, row;
};

void
stored_init(struct stored *s)
{
	buf_init(&s->crypt, PASSWORD_STORED_MAX);
	buf_init(&s->scram, PASSWORD_STORED_MAX);
	s->changed = 0;
}

void
stored_fini(struct stored *s)
{
	buf_fini_secret(&s->crypt);
	buf_fini_secret(&s->scram);
}

struct slice
stored_form(const struct stored *s)
{
	return s->crypt.n > 0 ? buf_slice(&s->crypt) : buf_slice(&s->scram);
}

enum stored_kind
stored_kind(struct slice form)
{
	struct scram_keys keys;
	size_t i;

	if (form.n == 0 || form.n > PASSWORD_STORED_MAX)
		return STORED_NONE;
	for (i = 0; i < form.n; i++)
		if (form.p[i] <= ' ' || form.p[i] > '~')
			return STORED_NONE;
	if (scram_keys_parse(form, &keys) == 0) {
		scram_keys_wipe(&keys);
		return STORED_SCRAM;
	}
	/* "$id$…", Dovecot's "{SCHEME}$id$…", or locked. */
	return password_form_is_usable(form) ? STORED_CRYPT : STORED_NONE;
}

/* ---- opening ---- */

static int
make_secret(struct passwords *p)
{
	char random[SECRET_SIZE];
	struct buf record;
	int result = -1;

	buf_init(&record, ROW_MAX);
	if (getrandom(random, sizeof random, 0) == sizeof random) {
		record_begin(&record);
		record_add(&record, META_VALUE,
		    (struct slice){ random, sizeof random });
		result = table_put(p->meta, SLICE("secret"),
		    buf_slice(&record));
		buf_add(&p->secret, random, sizeof random);
	}
	explicit_bzero(random, sizeof random);
	buf_fini_secret(&record);
	return result;
}

static int
read_secret(struct passwords *p)
{
	struct buf record;
	int result = 0;

	buf_init(&record, ROW_MAX);
	if (table_get(p->meta, SLICE("secret"), &record) == 0)
		buf_add_slice(&p->secret,
		    record_get(buf_slice(&record), META_VALUE));
	else
		result = errno == ENOENT ? make_secret(p) : -1;
	buf_fini_secret(&record);
	return result < 0 || p->secret.n != SECRET_SIZE ? -1 : 0;
}

int
passwords_open(enum table_driver driver, const char *dir, struct buf *why,
    struct passwords **p_r)
{
	struct passwords *p = calloc(1, sizeof *p);

	if (p == NULL) {
		buf_add_str(why, "out of memory");
		return -1;
	}
	buf_init(&p->secret, SECRET_SIZE);
	buf_init(&p->row, ROW_MAX);
	if (table_env_open(driver, dir, why, &p->env) < 0 ||
	    table_open(p->env, "passwords", why, &p->passwords) < 0 ||
	    table_open(p->env, "meta", why, &p->meta) < 0) {
		passwords_close(&p);
		return -1;
	}
	if (read_secret(p) < 0) {
		buf_addf(why, "the server's secret can be neither read nor "
		    "made: %s", passwords_error(p));
		passwords_close(&p);
		return -1;
	}
	*p_r = p;
	return 0;
}

void
passwords_close(struct passwords **pp)
{
	struct passwords *p = *pp;

	*pp = NULL;
	if (p == NULL)
		return;
	table_env_close(&p->env);
	buf_fini_secret(&p->secret);
	buf_fini_secret(&p->row);
	free(p);
}

struct slice
passwords_secret(const struct passwords *p)
{
	return buf_slice(&p->secret);
}

const char *
passwords_error(const struct passwords *p)
{
	return table_error(p->env);
}

/* ---- rows ---- */

int
passwords_find(struct passwords *p, uint64_t account, struct stored *out)
{
	unsigned char key[RECORD_KEY];
	struct slice row;

	buf_reset(&p->row);
	if (table_get(p->passwords, record_key(key, account), &p->row) < 0)
		return -1;
	row = buf_slice(&p->row);
	if (!record_is_valid(row)) {
		errno = EBADMSG;
		return -1;
	}
	buf_reset(&out->crypt);
	buf_add_slice(&out->crypt, record_get(row, PASSWORD_CRYPT));
	buf_reset(&out->scram);
	buf_add_slice(&out->scram, record_get(row, PASSWORD_SCRAM_KEYS));
	out->changed = (int64_t)record_get_u64(row, PASSWORD_CHANGED, 0);
	buf_fini_secret(&p->row);
	if (buf_is_ok(&out->crypt) && buf_is_ok(&out->scram))
		return 0;
	errno = EBADMSG;
	return -1;
}

int
passwords_put(struct passwords *p, uint64_t account, int64_t changed,
    struct slice crypt, struct slice scram)
{
	unsigned char key[RECORD_KEY];
	struct buf row;
	int result;

	buf_init(&row, ROW_MAX);
	record_begin(&row);
	if (crypt.n > 0)
		record_add(&row, PASSWORD_CRYPT, crypt);
	if (scram.n > 0)
		record_add(&row, PASSWORD_SCRAM_KEYS, scram);
	record_add_u64(&row, PASSWORD_CHANGED, (uint64_t)changed);
	if (!buf_is_ok(&row)) {
		errno = row.err;
		result = -1;
	} else {
		result = table_put(p->passwords, record_key(key, account),
		    buf_slice(&row));
	}
	buf_fini_secret(&row);
	return result;
}

int
passwords_remove(struct passwords *p, uint64_t account)
{
	unsigned char key[RECORD_KEY];

	return table_delete(p->passwords, record_key(key, account));
}
