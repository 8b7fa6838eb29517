# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Bash completion of policyd; compared with its help and its man page by
# tests/lint/help_man_completion.sh.

_policyd_options='--socket --group --keep --format --syslog --journal --file --file-size --file-count'
_policyd_options+=' --sync --metrics --help --version'

_policyd() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}

	COMPREPLY=()
	case $prev in
	--socket | --file)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		compopt -o filenames 2>/dev/null
		;;
	--group) mapfile -t COMPREPLY < <(compgen -g -- "$cur") ;;
	--keep | --file-size | --file-count) return ;;
	--syslog) mapfile -t COMPREPLY < <(compgen -W 'unix:/ udp: tcp:' -- "$cur") ;;
	--metrics) mapfile -t COMPREPLY < <(compgen -W 'unix:/ 127.0.0.1: [::1]:' -- "$cur") ;;
	--format) mapfile -t COMPREPLY < <(compgen -W 'text json ecs ocsf cef syslog' -- "$cur") ;;
	*) mapfile -t COMPREPLY < <(compgen -W "$_policyd_options" -- "$cur") ;;
	esac
}

complete -F _policyd policyd
