# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Bash completion of policyctl. Verbs and options are compared with the help texts and the man page
# by tests/lint/help_man_completion.sh.

_policyctl_verbs='check load unload run stop wait attach detach status top events test explain doctor'

# The options of a verb.
_policyctl_options() {
	case $1 in
	check) echo '--strict --offline --json --help' ;;
	load) echo '--dry-run --reanchor --force --settle --json --help' ;;
	unload) echo '--force --help' ;;
	run)
		echo '--map --shadow --shadow-max --shadow-budget --keep-fd --user --no-new-privs --in-place' \
			'--ceilings-only --policy --help'
		;;
	stop) echo '--timeout --json --help' ;;
	wait) echo '--json --help' ;;
	attach) echo '--tid --ceilings-only --policy --help' ;;
	detach) echo '--help' ;;
	status) echo '--json --metrics -v --help' ;;
	top) echo '--delay --sort --help' ;;
	events) echo '--follow --since --guest --type --verdict --path --format --help' ;;
	test) echo '--json --help' ;;
	explain) echo '--json --help' ;;
	doctor) echo '--json --help' ;;
	*) echo '--help --version' ;;
	esac
}

# Names of the loaded policy's guests; nothing without root or without a policy.
_policyctl_guests() {
	policyctl status --json 2>/dev/null | grep -o '{"name":"[^"]*"' | cut -d'"' -f4
}

_policyctl() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} verb=${COMP_WORDS[1]:-}
	local i words=''

	COMPREPLY=()
	if ((COMP_CWORD == 1)); then
		mapfile -t COMPREPLY < <(compgen -W "$_policyctl_verbs $(_policyctl_options '')" -- "$cur")
		return
	fi
	# After `run GUEST --` stands another command, with completions of its own.
	for ((i = 2; i < COMP_CWORD; i++)); do
		if [[ $verb == run && ${COMP_WORDS[i]} == -- ]]; then
			if declare -F _command_offset >/dev/null; then
				_command_offset $((i + 1))
			else
				mapfile -t COMPREPLY < <(compgen -c -- "$cur")
			fi
			return
		fi
	done
	case $verb:$prev in
	top:--sort) words='refused tasks memory name' ;;
	events:--type) words='violation ceiling exit lost guest policy escape allow shadow exec fork' ;;
	events:--verdict) words='denied would_deny allowed pressure killed' ;;
	events:--path)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		compopt -o filenames 2>/dev/null
		return
		;;
	events:--format) words='text json ecs ocsf cef syslog' ;;
	events:--guest) words=$(_policyctl_guests) ;;
	run:--map)
		# HOST; what follows its colon is a path in the guest's root.
		[[ $cur == *:* ]] || mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		compopt -o filenames -o nospace 2>/dev/null
		return
		;;
	run:--shadow)
		[[ $cur == *=* ]] || mapfile -t COMPREPLY < <(compgen -f -S = -- "$cur")
		compopt -o filenames -o nospace 2>/dev/null
		return
		;;
	run:--user)
		mapfile -t COMPREPLY < <(compgen -u -- "$cur")
		return
		;;
	run:--policy | attach:--policy)
		mapfile -t COMPREPLY < <(compgen -f -X '!*.toml' -- "$cur"; compgen -d -- "$cur")
		compopt -o filenames 2>/dev/null
		return
		;;
	events:--since | run:--keep-fd | run:--shadow-max | run:--shadow-budget | stop:--timeout) return ;;
	*)
		if [[ $cur == -* ]]; then
			words=$(_policyctl_options "$verb")
		elif [[ $verb == check || $verb == load || $verb == test ]]; then
			mapfile -t COMPREPLY < <(compgen -f -X '!*.toml' -- "$cur"; compgen -d -- "$cur")
			compopt -o filenames 2>/dev/null
			return
		elif [[ $verb == explain ]] && ((COMP_CWORD == 3)); then
			words='read write execute list create delete rename link truncate metadata ioctl connect ro rx rw rwx'
		elif [[ $verb == explain ]] && ((COMP_CWORD == 4)); then
			mapfile -t COMPREPLY < <(compgen -f -- "$cur")
			compopt -o filenames 2>/dev/null
			return
		elif [[ $verb == run || $verb == stop || $verb == attach || $verb == explain ]] && ((COMP_CWORD == 2)); then
			words=$(_policyctl_guests)
		elif [[ $verb == wait ]]; then
			words="$(_policyctl_guests) $(ps -eo pid= 2>/dev/null)"
		elif [[ $verb == attach || $verb == detach ]]; then
			words=$(ps -eo pid= 2>/dev/null)
		fi
		;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}

complete -F _policyctl policyctl
