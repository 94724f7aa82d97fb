# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# nosnoop.bash - completion for bash: commands, options and their values. Installed as
# share/bash-completion/completions/nosnoop. It reads --help and sysfs only: no completion takes a
# snapshot of the machine.

# The commands that nosnoop lists in its --help.
_nosnoop_commands() { "$1" --help 2>/dev/null | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p'; }

# The long options that a command prints in its --help, "=" behind those that take a value.
_nosnoop_options()
{
	"$1" "$2" --help 2>/dev/null |
		sed -n 's/^ *\(-[a-zA-Z], \)\?\(--[a-z.-]*\)\(=\?\).*/\2\3/p'
}

# Files (-f) or folders (-d).
_nosnoop_files()
{
	mapfile -t COMPREPLY < <(compgen "$1" -- "$2")
	compopt -o filenames 2>/dev/null || :
}

# Values of an option. Returns 1 if it takes none or any text.
_nosnoop_values()
{
	local option=$1 current=$2

	case $option in
	--format)
		case ${command:-} in
		export) mapfile -t COMPREPLY < <(compgen -W "prometheus openmetrics" -- "$current") ;;
		*) mapfile -t COMPREPLY < <(compgen -W "text json" -- "$current") ;;
		esac
		;;
	--collect) mapfile -t COMPREPLY < <(compgen -W "host" -- "$current") ;;
	--color) mapfile -t COMPREPLY < <(compgen -W "auto always never" -- "$current") ;;
	--wbinvd-rate | --wbinvd-time) COMPREPLY=() ;;
	--fail-on) mapfile -t COMPREPLY < <(compgen -W "critical warning info never" -- "$current") ;;
	--explain)
		mapfile -t COMPREPLY < <(compgen -W "$("$program" audit --list-rules 2>/dev/null |
			grep -o '^NS[0-9]*')" -- "$current")
		;;
	--group)
		mapfile -t COMPREPLY < <(compgen -W "$(ls /sys/kernel/iommu_groups 2>/dev/null)" \
			-- "$current")
		;;
	--device)
		mapfile -t COMPREPLY < <(compgen -W "$(ls /sys/bus/pci/devices 2>/dev/null)" \
			-- "$current")
		;;
	--replay | --record | --textfile | --web.config.file) _nosnoop_files -f "$current" ;;
	--sysroot | --btf) _nosnoop_files -d "$current" ;;
	--vm) COMPREPLY=() ;;
	*) return 1 ;;
	esac
}

_nosnoop()
{
	local program=$1 line=${COMP_LINE:0:COMP_POINT} current previous words command

	# COMP_WORDS splits at "=" and ":", which are within --option=value and PCI addresses: the
	# words are taken from the line as they stand there.
	read -ra words <<<"$line"
	current=
	[[ $line == *[[:space:]] ]] || current=${words[-1]}
	[ -z "$current" ] || unset 'words[-1]'
	previous=${words[-1]:-}
	command=${words[1]:-}
	COMPREPLY=()

	if [ ${#words[@]} -le 1 ]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_nosnoop_commands "$program") --help --version" \
			-- "$current")
		return
	fi
	if [[ $current == --*=* ]]; then
		_nosnoop_values "${current%%=*}" "${current#*=}"
	elif ! [[ $previous == --* && $previous != *=* ]] || ! _nosnoop_values "$previous" "$current"; then
		if [[ $current == -* ]]; then
			mapfile -t COMPREPLY < <(compgen -W "$(_nosnoop_options "$program" "$command")" \
				-- "$current")
			[[ ${COMPREPLY[0]:-} != *= ]] || compopt -o nospace 2>/dev/null || :
		elif [ "$command" = record ]; then
			_nosnoop_files -f "$current"
		fi
		return
	fi
	_nosnoop_after_colon "$current"
}

# readline replaces only what stands behind the last ":" or "=" of the word.
_nosnoop_after_colon()
{
	local value=$1 i prefix

	[[ $value != --*=* ]] || value=${value#*=}
	[[ $value == *:* && $COMP_WORDBREAKS == *:* ]] || return 0
	prefix=${value%"${value##*:}"}
	for i in "${!COMPREPLY[@]}"; do
		COMPREPLY[i]=${COMPREPLY[i]#"$prefix"}
	done
}

complete -F _nosnoop nosnoop
