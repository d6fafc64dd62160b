/* SPDX-License-Identifier: ISC */
#include "mta/outcome.h"

#include "proto/limits.h"

enum { TEXT_MAX = 1000 };

static bool
is_better(const struct outcome_word *w, enum outcome_source source,
    enum outcome outcome)
{
	if (w->source == OUTCOME_NOBODY)
		return true;
	if (w->outcome != outcome)
		return outcome == OUTCOME_LATER;
	return source >= w->source;
}

void
outcome_add(struct outcome_word *w, enum outcome_source source,
    const struct status *status, struct slice remote)
{
	if (!is_better(w, source, status->outcome))
		return;
	outcome_fini(w);
	w->source = source;
	w->outcome = status->outcome;
	w->code = status->code;
	w->enhanced = status->enhanced;
	buf_init(&w->text, TEXT_MAX);
	status_add_text(&w->text, status->text, TEXT_MAX);
	buf_init(&w->remote, LIMIT_DOMAIN);
	buf_add_slice(&w->remote, slice_head(remote, LIMIT_DOMAIN));
}

void
outcome_fini(struct outcome_word *w)
{
	if (w->source != OUTCOME_NOBODY) {
		buf_fini(&w->text);
		buf_fini(&w->remote);
	}
	*w = (struct outcome_word){ .source = OUTCOME_NOBODY };
}
