/** `fastloop completion SHELL`: prints a script for the shell, which runs `fastloop complete` at each Tab. */
import type { Command } from "commander";
import { UserError } from "../../errors/index.ts";
import type { CliContext } from "../context.ts";

const scripts: Record<string, string> = {
  bash: `# fastloop completion for bash: source <(fastloop completion bash)
_fastloop() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do COMPREPLY+=("\${line%%$'\\t'*}"); done < <(
    fastloop complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null
  )
}
complete -o default -F _fastloop fastloop
`,
  zsh: `#compdef fastloop
# fastloop completion for zsh: source <(fastloop completion zsh)
_fastloop() {
  local -a candidates
  local line
  while IFS= read -r line; do
    candidates+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done < <(fastloop complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
  if (( \${#candidates} )); then _describe fastloop candidates; else _files; fi
}
compdef _fastloop fastloop
`,
  fish: `# fastloop completion for fish: fastloop completion fish | source
function __fastloop_complete
  set -l words (commandline -opc) (commandline -ct)
  fastloop complete -- $words[2..-1] 2>/dev/null
end
complete -c fastloop -f -a '(__fastloop_complete)'
`,
};

export function register(program: Command, context: CliContext): void {
  program
    .command("completion")
    .summary("print a completion script for bash, zsh or fish")
    .description(
      "Print a completion script for commands and options, for the project's functions in `run`, `watch` and `why`, and for the module's functions and arguments in `call`.",
    )
    .argument("<shell>", Object.keys(scripts).join(", "))
    .addHelpText(
      "after",
      `
Examples:
  source <(fastloop completion bash)
  fastloop completion fish > ~/.config/fish/completions/fastloop.fish`,
    )
    .action((shell: string) => {
      const script = scripts[shell];
      if (script === undefined) {
        throw new UserError("usage", `no completion for ${shell}`, { hint: Object.keys(scripts).join(", ") });
      }
      context.print(script);
    });
}
