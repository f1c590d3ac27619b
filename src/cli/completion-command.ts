/** `completion`: scripts made from the commands themselves, so that they cannot get old. */
import type { Command } from 'commander';
import { addHelp } from './help.js';

interface Shell {
  readonly name: string;
  readonly script: (program: Command) => string;
  readonly examples: readonly string[];
}

const shells: readonly Shell[] = [
  {
    name: 'bash',
    script: bashScript,
    examples: ['source <(xcapd completion bash)', 'xcapd completion bash > /etc/bash_completion.d/xcapd'],
  },
  {
    name: 'zsh',
    script: zshScript,
    examples: ['source <(xcapd completion zsh)', 'xcapd completion zsh > "${fpath[1]}/_xcapd"'],
  },
  {
    name: 'fish',
    script: fishScript,
    examples: [
      'xcapd completion fish | source',
      'xcapd completion fish > ~/.config/fish/completions/xcapd.fish',
    ],
  },
];

export function addCompletionCommand(program: Command): void {
  const completion = program.command('completion').description('scripts that complete commands in a shell');
  addHelp(
    completion,
    shells.flatMap(({ examples }) => examples.slice(0, 1)),
  );
  for (const { name, script, examples } of shells) {
    const command = completion
      .command(name)
      .description(`print the script for ${name}`)
      .action(() => void process.stdout.write(script(program)));
    addHelp(command, examples);
  }
}

/** Words by the commands before them; where no word fits, names of files are completed. */
function bashScript(program: Command): string {
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

/** As for bash, whose way zsh knows; as a file in `fpath` as well. */
function zshScript(program: Command): string {
  const name = program.name();
  const commands = commandsBelow(program, name);
  const cases = commands.map(({ path, words }) => `    '${path}') words=(${words.join(' ')}) ;;`);
  return `#compdef ${name}
_${name}() {
  local command='${name}' word
  local -a words_before=("\${(@)words[2,CURRENT-1]}") words
  for word in "\${(@)words_before}"; do
    case "$command $word" in
      ${commands
        .slice(1)
        .map(({ path }) => `'${path}'`)
        .join('|')}) command="$command $word" ;;
    esac
  done
  case "$command" in
${cases.join('\n')}
  esac
  compadd -a words
  _files
}
if [ "$funcstack[1]" = '_${name}' ]; then _${name} "$@"; else compdef _${name} ${name}; fi
`;
}

/** One line for each command, with what it is for. */
function fishScript(program: Command): string {
  const name = program.name();
  const lines = commandsBelow(program, name).flatMap(({ path, words }) => {
    const before = path.split(' ').slice(1);
    const condition = before.map((word) => `__fish_seen_subcommand_from ${word}`).join('; and ');
    const subcommands = words.filter((word) => !word.startsWith('-'));
    const none = subcommands.length === 0 ? '' : `not __fish_seen_subcommand_from ${subcommands.join(' ')}`;
    const when = [condition, none].filter((part) => part !== '').join('; and ');
    return words.map((word) => {
      const what = word.startsWith('--') ? `-l ${word.slice(2)}` : `-a ${word}`;
      return `complete -c ${name}${when === '' ? '' : ` -n '${when}'`} ${what}`;
    });
  });
  return `# fish completion for ${name}\n${lines.join('\n')}\n`;
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
