/* SPDX-License-Identifier: ISC */
/* The verbs of directory_admin.c, which says what each takes and gives. */
#ifndef AUTH_ADMIN_VERBS_H
#define AUTH_ADMIN_VERBS_H

struct admin_request;

/* 0, or -1 with the reason in r->why. */
int verb_domain_add(struct admin_request *r);
int verb_domain_list(struct admin_request *r);
int verb_domain_remove(struct admin_request *r);
int verb_account_add(struct admin_request *r);
int verb_account_import(struct admin_request *r);
int verb_account_show(struct admin_request *r);
int verb_account_list(struct admin_request *r);
int verb_account_enable(struct admin_request *r);
int verb_account_disable(struct admin_request *r);
int verb_account_quota(struct admin_request *r);
int verb_account_rename(struct admin_request *r);
int verb_account_remove(struct admin_request *r);
int verb_alias_add(struct admin_request *r);
int verb_alias_list(struct admin_request *r);
int verb_alias_remove(struct admin_request *r);

#endif
