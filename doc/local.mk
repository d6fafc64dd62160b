# SPDX-License-Identifier: ISC
# Documents. What the declared options say of themselves is generated from
# them, so that it cannot be wrong.
noinst_PROGRAMS += doc/mkconf
doc_mkconf_SOURCES = doc/mkconf.c
doc_mkconf_LDADD = libconf.a libsys.a libbase.a
nodist_man_MANS = doc/veredus.conf.5
dist_doc_DATA = doc/ARCHITECTURE.md
nodist_doc_DATA =
nodist_doc_DATA += doc/veredus.conf.sample
nodist_doc_DATA += doc/veredus.logrotate
EXTRA_DIST += doc/veredus.conf.5.in
EXTRA_DIST += doc/veredus.logrotate.in
EXTRA_DIST += doc/completion/veredus.bash
EXTRA_DIST += doc/systemd/veredusd.service.in
EXTRA_DIST += doc/systemd/veredus.sysusers
CLEANFILES += doc/options.mdoc
CLEANFILES += $(nodist_man_MANS) $(nodist_doc_DATA) $(completion_DATA)
CLEANFILES += $(nodist_systemdsystemunit_DATA) $(sysusers_DATA)

# Where others look for them.
completiondir = $(datadir)/bash-completion/completions
completion_DATA = doc/completion/veredus doc/completion/veredusd
nodist_systemdsystemunit_DATA = doc/systemd/veredusd.service
dist_systemdsystemunit_DATA = doc/systemd/veredusd.socket
sysusers_DATA = doc/systemd/veredus.conf

doc/options.mdoc: doc/mkconf$(EXEEXT)
	$(AM_V_GEN)doc/mkconf$(EXEEXT) -m > $@.new && mv $@.new $@
doc/veredus.conf.5: doc/options.mdoc doc/veredus.conf.5.in Makefile
	$(AM_V_GEN)sed -e '/^@OPTIONS@$$/{r doc/options.mdoc' -e 'd;}' \
		-e 's|@SYSCONFDIR@|$(sysconfdir)/veredus|' \
		-e 's|@DOCDIR@|$(docdir)|' \
		$(srcdir)/doc/veredus.conf.5.in > $@.new && mv $@.new $@
doc/veredus.conf.sample: doc/mkconf$(EXEEXT)
	$(AM_V_GEN)doc/mkconf$(EXEEXT) -s > $@.new && mv $@.new $@
doc/veredus.logrotate: doc/veredus.logrotate.in Makefile
	$(AM_V_GEN)sed -e 's|@BINDIR@|$(bindir)|' \
		-e 's|@LOCALSTATEDIR@|$(localstatedir)|' \
		$(srcdir)/doc/veredus.logrotate.in > $@.new && mv $@.new $@
doc/systemd/veredusd.service: doc/systemd/veredusd.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) doc/systemd && sed -e 's|@SBINDIR@|$(sbindir)|' \
		-e 's|@LOCALSTATEDIR@|$(localstatedir)|' \
		$(srcdir)/doc/systemd/veredusd.service.in > $@.new && \
		mv $@.new $@
doc/systemd/veredus.conf: doc/systemd/veredus.sysusers
	$(AM_V_GEN)$(MKDIR_P) doc/systemd && \
		cp $(srcdir)/doc/systemd/veredus.sysusers $@
# One file, under the name of each command that it completes.
$(completion_DATA): doc/completion/veredus.bash
	$(AM_V_GEN)$(MKDIR_P) doc/completion && \
		cp $(srcdir)/doc/completion/veredus.bash $@

# The server makes its own folders, but not the one that its log goes to.
install-data-local:
	$(MKDIR_P) $(DESTDIR)$(sysconfdir)/veredus $(DESTDIR)$(localstatedir)/log
uninstall-hook:
	for d in $(pkglibexecdir) $(docdir) $(sysconfdir)/veredus; do \
		test ! -d $(DESTDIR)$$d || rmdir $(DESTDIR)$$d 2>/dev/null || :; \
	done

# Do the documents say what the code does?
EXTRA_DIST += tests/manuals.py
TESTS += tests/manuals.py
