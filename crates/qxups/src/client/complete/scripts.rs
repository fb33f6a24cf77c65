//! What is put behind clap's completions, so that shells ask the running server for names.

use clap_complete::Shell;

/// Bash cuts words at @, : and =, and replaces only what stands behind the last of them.
const BASH: &str = r#"
_qxups_live() {
    _qxups "$@"
    case "${COMP_WORDS[1]}" in
        list|get|set|cmd|log|watch|top) ;;
        *) return 0 ;;
    esac
    local line="${COMP_LINE:0:COMP_POINT}" breaks="" letter cur tail found
    local -a words live=()
    read -ra words <<< "$line"
    [[ "$line" == *[[:space:]] ]] && words+=("")
    cur="${words[${#words[@]}-1]}"
    [[ "$cur" == -* ]] && return 0
    for letter in @ : =; do
        [[ "$COMP_WORDBREAKS" == *"$letter"* ]] && breaks+="$letter"
    done
    tail="$cur"
    [[ -n "$breaks" ]] && tail="${cur##*[$breaks]}"
    while IFS= read -r found; do
        live+=("${found#"${cur%"$tail"}"}")
    done < <("$1" complete -- "${words[@]:1}" 2>/dev/null)
    [[ ${#live[@]} -eq 0 ]] && return 0
    COMPREPLY=("${live[@]}")
    [[ "${live[*]}" == *= ]] && compopt -o nospace 2>/dev/null
    return 0
}
complete -F _qxups_live -o bashdefault -o default qxups
"#;

/// Zsh calls it where clap's completions would offer files.
const ZSH: &str = r#"
(( $+functions[_qxups_live] )) ||
_qxups_live() {
    local -a live
    live=("${(@f)$(qxups complete -- "${(@)words[1,CURRENT]}" 2>/dev/null)}")
    live=("${(@)live:#}")
    if (( $#live )); then
        [[ "${live[1]}" == *= ]] && compadd -S '' -- "${(@)live}" || compadd -- "${(@)live}"
    fi
}
"#;

const FISH: &str = r#"
complete -c qxups -n "__fish_seen_subcommand_from list get set cmd log watch top" -f -a "(qxups complete -- (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)"
"#;

/// Completions of this program as clap writes them, with names from the running server.
pub fn live(shell: Shell, text: String) -> String {
    match shell {
        Shell::Bash => text + BASH,
        Shell::Fish => text + FISH,
        // its last lines run the function, so that what it calls stands before them
        Shell::Zsh => {
            let text = zsh_positions(&text);
            match text.rfind("\nif [ \"$funcstack[1]\"") {
                Some(at) => format!("{}{ZSH}{}", &text[..at], &text[at..]),
                None => text,
            }
        }
        _ => text,
    }
}

/// The places of UPSes, variables and commands in the words of clap.
fn zsh_positions(text: &str) -> String {
    const POSITIONS: [&str; 7] =
        ["::place ", ":ups ", "*::places ", "*::variables ", ":command ", "*::assignments ", "*::upses "];
    let lines = text.lines().map(|line| {
        let ours =
            line.strip_prefix('\'').is_some_and(|rest| POSITIONS.iter().any(|start| rest.starts_with(start)));
        if ours { line.replace(":_default'", ":_qxups_live'") } else { line.to_string() }
    });
    lines.collect::<Vec<_>>().join("\n") + "\n"
}
