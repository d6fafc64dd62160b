# SPDX-License-Identifier: ISC
# sendmail(1) and the set-gid program behind it.
noinst_LIBRARIES += libsendmail.a
libsendmail_a_SOURCES =
libsendmail_a_SOURCES += msa/dropfile.c msa/dropfile.h
libsendmail_a_SOURCES += msa/localmail.c msa/localmail.h
libsendmail_a_SOURCES += msa/sendmail.c msa/sendmail.h
libsendmail_a_SOURCES += msa/sendmail_args.c msa/sendmail_args.h
libsendmail_a_SOURCES += msa/drop.c msa/drop.h
sbin_PROGRAMS += msa/sendmail
msa_sendmail_SOURCES = msa/sendmail_main.c
msa_sendmail_LDADD = libsendmail.a libproto.a libbase.a
pkglibexec_PROGRAMS += msa/drop
msa_drop_SOURCES = msa/drop_main.c
msa_drop_LDADD = libsendmail.a libproto.a libbase.a
# The names by which programs know it: sendmail looks at how it was called.
SENDMAIL_LINKS = "$(DESTDIR)$(bindir)/mailq" "$(DESTDIR)$(bindir)/newaliases" \
	"$(DESTDIR)$(prefix)/lib/sendmail"
install-exec-hook:
	$(AM_V_at)$(MKDIR_P) "$(DESTDIR)$(bindir)" "$(DESTDIR)$(prefix)/lib"
	$(AM_V_at)to="$(DESTDIR)$(sbindir)/`echo sendmail | sed '$(transform)'`"; \
	for link in $(SENDMAIL_LINKS); do ln -sfr "$$to" "$$link" || exit 1; done
uninstall-local:
	$(AM_V_at)for link in $(SENDMAIL_LINKS); do \
		if test -h "$$link"; then rm -f "$$link"; fi; done
# Mail from users.
noinst_LIBRARIES += libsubmission.a
libsubmission_a_SOURCES =
libsubmission_a_SOURCES += msa/fixup.c msa/fixup.h
libsubmission_a_SOURCES += msa/login.c
libsubmission_a_SOURCES += msa/letter.c
libsubmission_a_SOURCES += msa/session.c msa/session.h msa/session_priv.h
libsubmission_a_SOURCES += msa/submission.c msa/submission.h
pkglibexec_PROGRAMS += msa/submission
msa_submission_SOURCES = msa/submission_main.c
msa_submission_LDADD = libsubmission.a libsession.a libconn.a libsys.a libconf.a libproto.a libbase.a $(CONN_LIBS) $(SYS_LIBS)
# Dropped mail on its way into the queue.
noinst_LIBRARIES += libpickup.a
libpickup_a_SOURCES =
libpickup_a_SOURCES += msa/pickup.c msa/pickup.h
libpickup_a_SOURCES += msa/dropfile.c msa/dropfile.h
libpickup_a_SOURCES += msa/fixup.c msa/fixup.h
pkglibexec_PROGRAMS += msa/pickup
msa_pickup_SOURCES = msa/pickup_main.c
msa_pickup_LDADD = libpickup.a libsession.a libsys.a libconf.a libproto.a libbase.a $(SYS_LIBS)
dist_man_MANS += msa/veredus-submission.8
dist_man_MANS += msa/veredus-pickup.8
dist_man_MANS += msa/veredus-drop.8
dist_man_MANS += msa/veredus-sendmail.1
