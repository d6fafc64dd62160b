/* SPDX-License-Identifier: ISC */
/* The answer to a step of authentication (message AUTH_ANSWER). */
#ifndef SYS_AUTH_RESULT_H
#define SYS_AUTH_RESULT_H

enum auth_result {
	AUTH_OK,
	AUTH_CONTINUE,  /* send the challenge, bring the response */
	AUTH_FAILED,    /* wrong name or password, or no such account */
	AUTH_LATER,     /* cannot say just now */
	AUTH_SLOW_DOWN, /* too many failures from there */
	AUTH_MALFORMED, /* the response is not of the mechanism's form */
	AUTH_DISABLED,  /* right password, account switched off */
	AUTH_RESULT_COUNT
};

#endif
