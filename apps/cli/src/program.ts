import { Command } from 'commander';
import { registerUp } from './up/up.command.js';

/** The `makuler` command. Each file `*.command.ts` adds one command; this list is all of them. */
const COMMANDS: readonly ((program: Command) => void)[] = [registerUp];

export const createProgram = (): Command => {
  const program = new Command('makuler')
    .description('An event-sourced customer backend that can forget')
    .option('--json', 'machine-readable output')
    .showHelpAfterError()
    .configureHelp({ sortSubcommands: true });
  for (const register of COMMANDS) register(program);
  return program;
};
