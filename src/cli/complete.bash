# Completion of sluice for bash. What may follow is known to the program: sluice complete.
_sluice() {
    local line current=${COMP_WORDS[COMP_CWORD]}
    [ "$current" = "=" ] && current=
    COMPREPLY=()
    while IFS= read -r line; do
        case $line in
        @open) compopt -o nospace ;;
        @files) compopt -o filenames; mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$current") ;;
        @folders) compopt -o filenames; mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -d -- "$current") ;;
        @definitions) compopt -o filenames; mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(
            compgen -f -X '!*.json' -- "$current"
            compgen -d -- "$current"
        ) ;;
        *) COMPREPLY+=("${line%%$'\t'*}") ;;
        esac
    done < <("${COMP_WORDS[0]}" complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _sluice sluice
