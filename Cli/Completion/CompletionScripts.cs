namespace ImageStore.Cli.Completion;

/// <summary>What makes a shell ask the program for completions. Options are offered once a dash is typed.</summary>
internal static class CompletionScripts
{
    public const string Bash = """
        # bash completion for imagestore: source <(imagestore completion bash)
        _imagestore() {
          local line=${COMP_LINE:0:COMP_POINT} word candidate
          word=${line##*[[:space:]]}
          line="imagestore ${line#*[[:space:]]}"
          COMPREPLY=()
          while IFS= read -r candidate; do
            [[ $candidate == "$word"* ]] || continue
            [[ $candidate == -* && $word != -* ]] && continue
            # Readline begins a new word after a colon.
            [[ $COMP_WORDBREAKS == *:* && $word == *:* ]] && candidate=${candidate#"${word%"${word##*:}"}"}
            COMPREPLY+=("$candidate")
          done < <("${COMP_WORDS[0]}" "[suggest:${#line}]" "$line" 2>/dev/null)
        }
        complete -o default -F _imagestore imagestore
        """;

    public const string Zsh = """
        #compdef imagestore
        # zsh completion for imagestore: source <(imagestore completion zsh)
        _imagestore() {
          local line="imagestore ${LBUFFER#*[[:space:]]}"
          local -a found
          found=(${(f)"$(${words[1]} "[suggest:${#line}]" "$line" 2>/dev/null)"})
          [[ $PREFIX == -* ]] || found=(${found:#-*})
          if (( ${#found} )); then compadd -- $found; else _files; fi
        }
        compdef _imagestore imagestore
        """;

    public const string Fish = """
        # fish completion for imagestore: imagestore completion fish | source
        function __imagestore_complete
            set -l line (string replace -r '^\s*\S+' imagestore -- (commandline -cp))
            set -l word (commandline -ct)
            for candidate in (imagestore "[suggest:"(string length -- $line)"]" $line 2>/dev/null)
                if string match -q -- '-*' $word; or not string match -q -- '-*' $candidate
                    echo $candidate
                end
            end
        end
        complete -c imagestore -f -a '(__imagestore_complete)'
        complete -c imagestore -n '__fish_seen_subcommand_from mount unmount bundle' -F
        """;
}
