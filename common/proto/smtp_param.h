/* SPDX-License-Identifier: ISC */
/* The parameters of MAIL and RCPT; called by smtp_cmd.c only. */
#ifndef PROTO_SMTP_PARAM_H
#define PROTO_SMTP_PARAM_H

#include "proto/smtp_cmd.h"

/*
 * Parses what stands behind the path of MAIL (RCPT): nothing, or parameters
 * each after one space. `offered`: those that are known here, enum smtp_param.
 */
int smtp_param_parse_mail(struct slice in, unsigned offered,
    struct smtp_mail *mail, enum smtp_cmd_error *error_r)
    __attribute__((warn_unused_result));
int smtp_param_parse_rcpt(struct slice in, unsigned offered,
    struct smtp_rcpt *rcpt, enum smtp_cmd_error *error_r)
    __attribute__((warn_unused_result));

#endif
