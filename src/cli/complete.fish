# Completion of sluice for fish. What may follow is known to the program: sluice complete.
function __sluice_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    for line in (command $words[1] complete $words[2..-1] "$current" 2>/dev/null)
        switch $line
            case @open
            case @files
                __fish_complete_path "$current"
            case @folders
                __fish_complete_directories "$current"
            case @definitions
                __fish_complete_suffix "$current" .json
            case '*'
                echo $line
        end
    end
end
complete -c sluice -f -a '(__sluice_complete)'
