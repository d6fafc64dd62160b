# SPDX-License-Identifier: ISC
"""The judge: servers side by side, the same work for each, one table."""
