/* SPDX-License-Identifier: ISC */
/* The list of all sections, in the order of the manual. */
#include "conf/conf_sections.h"

#include "conf/conf_access.h"
#include "conf/conf_auth.h"
#include "conf/conf_certificate.h"
#include "conf/conf_directory.h"
#include "conf/conf_lmtp.h"
#include "conf/conf_mailbox.h"
#include "conf/conf_pickup.h"
#include "conf/conf_queue.h"
#include "conf/conf_relay.h"
#include "conf/conf_resolver.h"
#include "conf/conf_server.h"
#include "conf/conf_smtpd.h"
#include "conf/conf_state.h"
#include "conf/conf_submission.h"

const struct conf_section *const conf_sections[] = {
	&conf_server_section,
	&conf_certificate_section,
	&conf_smtpd_section,
	&conf_submission_section,
	&conf_lmtp_section,
	&conf_access_section,
	&conf_directory_section,
	&conf_auth_section,
	&conf_queue_section,
	&conf_relay_section,
	&conf_resolver_section,
	&conf_mailbox_section,
	&conf_pickup_section,
	&conf_state_section,
};
const size_t conf_n_sections = sizeof conf_sections / sizeof *conf_sections;

const struct conf_section *
conf_section_find(struct slice name)
{
	size_t i;

	for (i = 0; i < conf_n_sections; i++)
		if (slice_eq_str(name, conf_sections[i]->name))
			return conf_sections[i];
	return NULL;
}
