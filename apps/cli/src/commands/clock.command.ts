import type { Command } from 'commander';
import type { GlobalOptions } from '../client/connection.js';
import { connect } from '../client/connection.js';
import { action } from '../command.js';

/** `makuler clock confirm`: an operator says that the machine's clock is right, and what waited for it goes on. */
export const registerClock = (program: Command): void => {
  program
    .command('clock')
    .description('the trusted clock')
    .command('confirm')
    .description('say that the clock of this system is right; sweeps and destructions that waited go on')
    .action(
      action<GlobalOptions, []>(async ({ output, options }) => {
        const api = await connect(options, 'operator');
        const { body } = await api.post('/v1/clock/confirm');
        output.result(body, [`The clock is confirmed: ${body.now}.`]);
      }),
    );
};
