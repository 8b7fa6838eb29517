# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Bash completion of policyd-forward; compared with its help and its man page by
# tests/lint/help_man_completion.sh.

_policyd_forward_options='--tls --ca --cert --key --name --kafka --topic --kafka-conf --format --state'
_policyd_forward_options+=' --socket --user --guest --type --verdict --path --help --version'

_policyd_forward() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} words=

	COMPREPLY=()
	case $prev in
	--ca | --cert | --key | --state | --socket | --path)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		compopt -o filenames 2>/dev/null
		return
		;;
	--user)
		mapfile -t COMPREPLY < <(compgen -u -- "$cur")
		return
		;;
	--tls | --name | --kafka | --topic | --kafka-conf | --guest) return ;;
	--format) words='text json ecs ocsf cef syslog' ;;
	--type) words='violation ceiling exit lost guest policy escape allow shadow exec fork' ;;
	--verdict) words='denied would_deny allowed pressure killed' ;;
	*) words=$_policyd_forward_options ;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}

complete -F _policyd_forward policyd-forward
