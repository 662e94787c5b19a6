import type { Command } from 'commander';
import type { GlobalOptions } from './client/connection.js';
import type { Output } from './output.js';
import { outputOf } from './output.js';

/** What every command's action is given: how to speak, and the options, its own and the global ones. */
export interface Invocation<O> {
  readonly output: Output;
  readonly options: O & GlobalOptions;
}

/**
 * Makes an action for commander from a function of the invocation and the command's arguments. It ends with exit status 1
 * when the function resolves to `false` (something of it did not succeed) or throws.
 */
export const action =
  <O extends object, A extends unknown[]>(
    run: (invocation: Invocation<O>, ...parameters: A) => Promise<boolean | void>,
  ) =>
  async (...received: unknown[]): Promise<void> => {
    // Commander passes the arguments, then the command's own options, then the command.
    const command = received.at(-1) as Command;
    const options = command.optsWithGlobals<O & GlobalOptions>();
    const succeeded = await run({ output: outputOf(options.json ?? false), options }, ...(received.slice(0, -2) as A));
    if (succeeded === false) process.exitCode = 1;
  };
