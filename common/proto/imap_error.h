/* SPDX-License-Identifier: ISC */
/*
 * Why an IMAP command was not understood. One row per reason: its name and the
 * sentence that stands behind BAD, so that a person with a protocol log sees
 * what the client did wrong.
 */
#ifndef PROTO_IMAP_ERROR_H
#define PROTO_IMAP_ERROR_H

#define IMAP_ERRORS(E) \
	E(NONE, "No error.") \
	E(TAG, "A command begins with a tag and a space.") \
	E(VERB, "Unknown command.") \
	E(STATE, "This command cannot be used now.") \
	E(SPACE, "One space is expected between arguments.") \
	E(MISSING, "The command ends before its last argument.") \
	E(TRAILING, "There is text behind the last argument.") \
	E(ATOM, "A word is expected here.") \
	E(STRING, "A string is expected here.") \
	E(QUOTED, "A quoted string is not closed or not well formed.") \
	E(UTF8, "Text in quotes is not valid UTF-8.") \
	E(LITERAL, "A literal is not well formed, not complete or holds NUL.") \
	E(NUMBER, "A number is missing or out of range.") \
	E(OPEN, "An opening parenthesis is expected here.") \
	E(CLOSE, "A closing parenthesis is expected here.") \
	E(NESTING, "Parentheses are nested too deeply.") \
	E(TOO_MANY, "A list has too many items.") \
	E(MEMORY, "The command is too complex.") \
	E(FLAG, "A flag is not well formed or cannot be set.") \
	E(DATE, "A date is not well formed; 1-Feb-2024 is.") \
	E(DATETIME, \
	    "A date is not well formed; \" 1-Feb-2024 18:30:00 +0100\" is.") \
	E(SEQSET, "A message set is not well formed.") \
	E(STAR, "This message set must be plain numbers and ranges.") \
	E(OBJECTID, "An object identifier is not well formed.") \
	E(STATUS, "Unknown STATUS item.") \
	E(LIST_OPTION, "Unknown LIST option, or one that needs another.") \
	E(PARAMETER, "Unknown or repeated parameter.") \
	E(USE, "A mailbox use begins with a backslash.") \
	E(SECTION, "A body section is not well formed.") \
	E(PARTIAL, "A byte range is not well formed; <0.1024> is.") \
	E(FETCH_ITEM, "Unknown FETCH item.") \
	E(VANISHED, "VANISHED needs UID FETCH with CHANGEDSINCE.") \
	E(STORE_ITEM, "Unknown STORE item.") \
	E(SEARCH_KEY, "Unknown search key.") \
	E(SEARCH_RETURN, "Unknown or contradictory SEARCH return option.") \
	E(PARTIAL_RANGE, "A result range is not well formed; 1:500 is.")

enum imap_error {
#define E(name, text) IMAP_ERROR_##name,
	IMAP_ERRORS(E)
#undef E
	IMAP_ERROR_COUNT
};

/* The sentence of an error, of static life; never NULL. */
const char *imap_error_text(enum imap_error e);

#endif
