#compdef sluice
# Completion of sluice for zsh. What may follow is known to the program: sluice complete.
_sluice() {
    local line word end=' '
    local -a before found shown
    before=("${(@Q)words[2,CURRENT-1]}")
    if [[ $PREFIX == --*=* ]]; then
        before+=("${PREFIX%%=*}" "=")
        compset -P '*='
    fi
    while IFS= read -r line; do
        case $line in
        @open) end='' ;;
        @files) _files ;;
        @folders) _files -/ ;;
        @definitions) _files -g '*.json' ;;
        *)
            word=${line%%$'\t'*}
            found+=("$word")
            shown+=("$word  ${line#*$'\t'}")
            ;;
        esac
    done < <("${(Q)words[1]}" complete "${before[@]}" "$PREFIX" 2>/dev/null)
    (( $#found )) && compadd -l -S "$end" -d shown -a found
}
if [[ $funcstack[1] == _sluice ]]; then
    _sluice "$@"
else
    compdef _sluice sluice
fi
