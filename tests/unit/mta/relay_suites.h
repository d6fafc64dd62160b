/* SPDX-License-Identifier: ISC */
S(nexthop)
S(hosts)
S(outcome)
S(secrets)
S(connections)
