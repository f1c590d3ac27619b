/** `completion bash`: a script made from the commands themselves, so that it cannot get old. */
import type { Command } from 'commander';
import { addHelp } from './help.js';

export function addCompletionCommand(program: Command): void {
  const completion = program.command('completion').description('scripts that complete commands in a shell');
  addHelp(completion, ['source <(xcapd completion bash)']);
  const bash = completion
    .command('bash')
    .description('print the script for bash')
    .action(() => void process.stdout.write(bashScript(program)));
  addHelp(bash, ['source <(xcapd completion bash)', 'xcapd completion bash > /etc/bash_completion.d/xcapd']);
}

/** Words by the commands before them; where no word fits, names of files are completed. */
export function bashScript(program: Command): string {
  const cases = commandsBelow(program, program.name()).map(
    ({ path, words }) => `    '${path}') words='${words.join(' ')}' ;;`,
  );
  return `# bash completion for ${program.name()}
_${program.name()}() {
  local current=\${COMP_WORDS[COMP_CWORD]} command='${program.name()}' words='' i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$command \${COMP_WORDS[i]}" in
      ${commandsBelow(program, program.name())
        .slice(1)
        .map(({ path }) => `'${path}'`)
        .join(' | ')}) command="$command \${COMP_WORDS[i]}" ;;
    esac
  done
  case "$command" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _${program.name()} ${program.name()}
`;
}

interface CommandWords {
  /** The command with those above it. */
  readonly path: string;
  readonly words: readonly string[];
}

function commandsBelow(command: Command, path: string): CommandWords[] {
  const options = command.options.flatMap(({ long }) => (typeof long === 'string' ? [long] : []));
  const words = [...command.commands.map((below) => below.name()), ...options, '--help'];
  const own = { path, words };
  return [own, ...command.commands.flatMap((below) => commandsBelow(below, `${path} ${below.name()}`))];
}
