/* SPDX-License-Identifier: ISC */
/* Between the files of imap_cmd: the readers of arguments in its table, each
 * from the space behind the verb. Does not check for the end. */
#ifndef PROTO_IMAP_CMD_PRIV_H
#define PROTO_IMAP_CMD_PRIV_H

#include "proto/imap_cmd.h"

int imap_args_append(struct imap_cur *c, struct imap_cmd *cmd);
int imap_args_create(struct imap_cur *c, struct imap_cmd *cmd);
int imap_args_list(struct imap_cur *c, struct imap_cmd *cmd);
int imap_args_lsub(struct imap_cur *c, struct imap_cmd *cmd);
int imap_args_rename(struct imap_cur *c, struct imap_cmd *cmd);
int imap_args_select(struct imap_cur *c, struct imap_cmd *cmd);
int imap_args_setquota(struct imap_cur *c, struct imap_cmd *cmd);
int imap_args_status(struct imap_cur *c, struct imap_cmd *cmd);

int imap_args_copy(struct imap_cur *c, struct imap_cmd *cmd);
int imap_args_fetch(struct imap_cur *c, struct imap_cmd *cmd);
int imap_args_search(struct imap_cur *c, struct imap_cmd *cmd);
int imap_args_store(struct imap_cur *c, struct imap_cmd *cmd);
int imap_args_uid_expunge(struct imap_cur *c, struct imap_cmd *cmd);

#endif
