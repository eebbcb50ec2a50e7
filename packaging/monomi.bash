# Completion of monomi's commands for bash. It asks the program itself what there is, so that it always fits it.

_monomi_lines() { "${COMP_WORDS[0]}" "$@" 2>/dev/null; }

# Words of a form, as "text|json" or "check|backup", one a line.
_monomi_choices() { [[ $1 == *\|* ]] && tr '|' '\n' <<<"$1"; }

_monomi_value() {
	local form=$1 now=$2
	case $form in
	*\|*) mapfile -t COMPREPLY < <(compgen -W "$(_monomi_choices "$form")" -- "$now") ;;
	FILE | FILE… | NEW) mapfile -t COMPREPLY < <(compgen -f -- "$now") ;;
	FOLDER | PATH) mapfile -t COMPREPLY < <(compgen -d -- "$now") ;;
	INTERFACE) mapfile -t COMPREPLY < <(compgen -W "$(ls /sys/class/net 2>/dev/null)" -- "$now") ;;
	esac
}

_monomi() {
	local now=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]} help form
	COMPREPLY=()
	if [ "$COMP_CWORD" -eq 1 ]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_monomi_lines --help | sed -n 's/^  \([a-z]*\) .*/\1/p')" -- "$now")
		return
	fi
	help=$(_monomi_lines "$command" --help)
	if [[ $now == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(grep -oE -- '(^|[ ,])--[a-z][a-z-]*' <<<"$help" | tr -d ' ,' | sort -u)" -- "$now")
		return
	fi
	if [[ $before == --* ]]; then
		form=$(grep -oE -- "(^|[ ,])$before [A-Z|a-z…:=,]+" <<<"$help" | head -n 1 | sed 's/.* //')
		if [ "$before" = --interface ]; then form=INTERFACE; fi
		if [[ $form == *[A-Z]* || $form == *\|* ]]; then
			_monomi_value "$form" "$now"
			return
		fi
	fi
	form=$(sed -n '1s/.* //p' <<<"$help")
	case $form in
	'NAME|SQL') mapfile -t COMPREPLY < <(compgen -W "$(_monomi_lines query --list | sed -n 's/^\([a-z][a-z-]*\).*/\1/p')" -- "$now") ;;
	*\|*) [ "$COMP_CWORD" -eq 2 ] && _monomi_value "$form" "$now" ;;
	*) _monomi_value "$form" "$now" ;;
	esac
}

complete -o filenames -F _monomi monomi
