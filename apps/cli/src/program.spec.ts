import type { Command } from 'commander';
import { createProgram } from './program.js';

/** Each command that does something, with the names that lead to it. */
const leaves = (command: Command, names: readonly string[] = []): [string, Command][] =>
  command.commands.length === 0
    ? [[names.join(' '), command]]
    : command.commands.flatMap((child) => leaves(child, [...names, child.name()]));

describe('the help of', () => {
  it.each(leaves(createProgram()))('`makuler %s` says what it does and what every command takes', (_, command) => {
    const help = command.helpInformation();
    expect(command.description()).not.toBe('');
    for (const option of ['--home', '--api', '--token-file', '--json']) expect(help).toContain(option);
  });
});
