# SPDX-License-Identifier: ISC
include tests/unit/base/local.mk
include tests/unit/proto/local.mk
include tests/unit/sys/local.mk
include tests/unit/resolver/local.mk
include tests/unit/queue/local.mk
include tests/unit/tls/local.mk
include tests/unit/master/local.mk
include tests/unit/mda/local.mk
include tests/unit/session/local.mk
include tests/unit/msa/local.mk
include tests/unit/mta/local.mk
include tests/unit/auth/local.mk
include tests/unit/access/local.mk

