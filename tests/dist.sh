#!/bin/sh
# SPDX-License-Identifier: ISC
# Does a release hold every tracked file, and nothing that only lay about? Run
# by make check, in the build folder; only a checkout knows what is tracked.
set -eu
LC_ALL=C
export LC_ALL
top=${srcdir:-.}
files() { git -C "$top" -c core.quotePath=off ls-files "$@" | sort; }
# Not of use without the repository.
of_git='^\.git|^\.ci/'
made='^(Makefile\.in|aclocal\.m4|config\.h\.in|configure|build-aux/.*)$'

[ -e "$top/.git" ] && files >/dev/null 2>&1 || exit 77
work=tests/dist.tmp
chmod -R u+w $work 2>/dev/null || :
rm -rf $work
mkdir -p $work
trap 'rm -rf $work' EXIT
MAKEFLAGS='' ${MAKE:-make} distdir distdir=$work/release >$work/log 2>&1 || {
	tail -20 $work/log
	exit 1
}
(cd $work/release && find . -type f | sed 's|^\./||' | sort) >$work/has
files | grep -vE "$of_git" >$work/tracked
files --cached --others --exclude-standard >$work/known
comm -13 $work/has $work/tracked | sed 's/$/: not in the release/' >$work/bad
comm -23 $work/has $work/known | grep -vE "$made" |
	sed 's/$/: in the release, but not of the tree/' >>$work/bad || :
cat $work/bad
[ ! -s $work/bad ]
