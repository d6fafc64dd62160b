# SPDX-License-Identifier: ISC
# bash completion for veredus and veredusd. Addresses, domains and ids are asked
# of the running server, where the caller may.

_veredus_column() {
	# _veredus_column KEY COMMAND...: one column of a list, from JSON.
	local key=$1
	shift
	"${_veredus_command[@]}" --json "$@" 2>/dev/null |
		sed -n "s/.*\"$key\": *\"\\([^\"]*\\)\".*/\\1/p"
}

_veredus_words() { mapfile -t COMPREPLY < <(compgen -W "$1" -- "$cur"); }

_veredus_arguments() {
	# $1: the command's words; $2: number of the argument
	case "$1 $2" in
	"config check 1" | "account import 1")
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
	"domain remove 1" | "account list 1" | "alias list 1")
		_veredus_words "$(_veredus_column domain domain list)" ;;
	"account passwd 1" | "account show 1" | "account remove 1" | \
	"account disable 1" | "account enable 1" | "account quota 1")
		_veredus_words "$(_veredus_column address account list)" ;;
	"account quota 2" | "account quota 3")
		_veredus_words "none default" ;;
	"account add 2" | "account passwd 2")
		_veredus_words "--hash" ;;
	"alias remove 1")
		_veredus_words "$(_veredus_column alias alias list)" ;;
	"queue show 1" | "queue flush 1" | "queue hold 1" | \
	"queue release 1" | "queue remove 1" | "trace  1")
		_veredus_words "$(_veredus_column id queue list)" ;;
	"dns lookup 1")
		_veredus_words "A AAAA MX PTR TLSA TXT" ;;
	"rate clear 1")
		_veredus_words "$(_veredus_column key rate list)" ;;
	esac
}

_veredus() {
	local cur=${COMP_WORDS[COMP_CWORD]} i word first='' second='' n=0
	local -a _veredus_command=("${COMP_WORDS[0]}")
	local -A commands=(
		[status]='' [stop]='' [reload]='' [trace]='' [doctor]=''
		[config]='check show'
		[domain]='add list remove'
		[account]='add passwd list show remove disable enable quota import'
		[alias]='add list remove'
		[address]='test'
		[queue]='list show flush hold release remove'
		[dns]='lookup flush'
		[rate]='list clear'
	)

	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		if [[ -z $first && $word == -[cL] ]]; then
			_veredus_command+=("$word" "${COMP_WORDS[i + 1]}")
			((++i))
		elif [[ -z $first && $word == -* ]]; then
			:
		elif [[ -z $first ]]; then
			first=$word
		elif [[ -z $second && -n ${commands[$first]-} ]]; then
			second=$word
		else
			((++n))
		fi
	done
	COMPREPLY=()
	if [[ -z $first && ${COMP_WORDS[COMP_CWORD - 1]} == -[cL] ]]; then
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
	elif [[ -z $first ]]; then
		_veredus_words "${!commands[*]} -c -L --json --help --version"
	elif [[ -n ${commands[$first]-} && -z $second ]]; then
		_veredus_words "${commands[$first]}"
	else
		_veredus_arguments "$first $second" $((n + 1))
	fi
}

_veredusd() {
	local cur=${COMP_WORDS[COMP_CWORD]} before='' last
	local roles="smtpd submission lmtp access pickup relay queue broker
		template directory auth keys state resolver"

	COMPREPLY=()
	case ${COMP_WORDS[COMP_CWORD - 1]} in
	-c)
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
	-L)
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -d -- "$cur") ;;
	-o)
		last=${cur##*,}
		before=${cur%"$last"}
		compopt -o nospace
		mapfile -t COMPREPLY < <(compgen -P "$before" -W "$roles" -- "$last") ;;
	*)
		_veredus_words "-c -L -o -d -t -V" ;;
	esac
}

complete -F _veredus veredus
complete -F _veredusd veredusd
