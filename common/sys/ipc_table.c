/* SPDX-License-Identifier: ISC */
/* What the message table says, as data: names, rights, classes, hash. */
#include "sys/ipc.h"

const struct ipc_info ipc_info[IPC_TYPE_COUNT] = {
#define M(name_, class_, kind_, from_, to_, fd_, fields_) \
	[IPC_##name_] = { \
		.name = #name_, .class = IPC_CLASS_##class_, \
		.kind = IPC_##kind_, .from = (from_), .to = (to_), \
		.fd = (fd_), .size = sizeof(struct ipc_##name_) \
	},
	IPC_MESSAGES(M)
#undef M
};

static const bool answers[IPC_TYPE_COUNT][IPC_TYPE_COUNT] = {
#define A(answer, question) [IPC_##answer][IPC_##question] = true,
	IPC_ANSWERS(A)
#undef A
};

bool
ipc_is_answer(enum ipc_type answer, enum ipc_type question)
{
	return answers[answer][question];
}

static const struct {
	const char *name;
	unsigned waits;
} classes[] = {
#define C(name, waits) { #name, (waits) },
	IPC_CLASSES(C)
#undef C
};

unsigned
ipc_class_waits(enum ipc_class c)
{
	return (unsigned)c < IPC_CLASS_COUNT ? classes[c].waits : 0;
}

const char *
ipc_class_name(enum ipc_class c)
{
	return (unsigned)c < IPC_CLASS_COUNT ? classes[c].name : "?";
}

/* The table as text: what two binaries must agree on to talk. */
#define FIELD_TEXT(N, type, name) #type " " #name ","
static const char table_text[] =
#define M(name, class, kind, from, to, fd, fields) \
	#name " " #kind " " #from " " #to " " #fd " " fields(FIELD_TEXT, name) "\n"
    IPC_MESSAGES(M)
#undef M
#define A(answer, question) #answer " to " #question "\n"
    IPC_ANSWERS(A)
#undef A
    ;

uint64_t
ipc_table_hash(void)
{
	uint64_t h = 0xcbf29ce484222325ULL; /* FNV-1a: an identity, no secret */
	size_t i;

	for (i = 0; i < sizeof table_text - 1; i++)
		h = (h ^ (unsigned char)table_text[i]) * 0x100000001b3ULL;
	return h;
}
