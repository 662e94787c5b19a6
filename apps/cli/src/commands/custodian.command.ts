import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { MirrorAnswer } from '#client';
import { agreed } from '../client/agreement.js';
import type { GlobalOptions } from '../client/connection.js';
import { connect } from '../client/connection.js';
import { action } from '../command.js';

interface RetireOptions extends GlobalOptions {
  readonly yes?: boolean;
}

/** `makuler custodian status|add|retire|repair`: the mirrors that keep the root keys and the journal of shreds. */
export const registerCustodian = (program: Command): void => {
  const custodian = program.command('custodian').description('the mirrors that keep the root keys, outside the home');
  custodian
    .command('status')
    .description('every mirror, read now; ends with status 1 while one is away')
    .action(
      action<GlobalOptions, []>(async ({ output, options }) => {
        const api = await connect(options, 'operator');
        const { items } = (await api.get('/v1/vault/mirrors')).body;
        output.result(items, items.flatMap(mirrorLines));
        return items.every(({ standing }) => standing === 'present');
      }),
    );
  custodian
    .command('add')
    .description('enrol a new mirror: a directory on another device, or a pkcs11: URI')
    .argument('<PLACE>')
    .action(
      action<GlobalOptions, [string]>(async ({ output, options }, place) => {
        const api = await connect(options, 'operator');
        const { body } = await api.post('/v1/vault/mirrors', { body: { place: placeOf(place) } });
        output.result(body, [
          `The mirror at ${place} is enrolled as ${body.mirrorId}. The vault finds it again by itself.`,
        ]);
      }),
    );
  custodian
    .command('retire')
    .description('take out a mirror that is gone for good; another person approves')
    .argument('<ID>')
    .option('--yes', 'approve without asking, with the token of the role approver')
    .action(
      action<RetireOptions, [string]>(async ({ output, options }, id) => {
        const operator = await connect(options, 'operator');
        await operator.post('/v1/vault/mirrors/{id}/retirement', { path: { id } });
        output.note('The retirement is proposed. What that mirror may still hold, nobody will confirm as destroyed.');
        if (!(await mayApprove(options, () => agreed(output, 'Retire it?')))) {
          output.result({ mirrorId: id, state: 'proposed' }, ['It waits for the approval of another person.']);
          return false;
        }
        const approver = await connect(options, 'approver');
        const { body } = await approver.post('/v1/vault/mirrors/{id}/retirement/approve', { path: { id } });
        output.result(body, [`The mirror ${id} is retired: its confirmations are waited for no more.`]);
        return true;
      }),
    );
  custodian
    .command('repair')
    .description('bring back a mirror that does not come back by itself: damaged, of a wrong root, or a fork')
    .argument('<ID>')
    .action(
      action<GlobalOptions, [string]>(async ({ output, options }, id) => {
        const api = await connect(options, 'operator');
        const { body } = await api.post('/v1/vault/mirrors/{id}/repair', { path: { id } });
        output.result(body, [`The mirror ${id} is as the others again.`]);
      }),
    );
};

/** The vault takes absolute directories only: it runs elsewhere than this command. */
const placeOf = (place: string): string => (place.startsWith('pkcs11:') ? place : resolve(place));

/** One token is one person, who proposed it and so may not approve. */
const mayApprove = async (options: RetireOptions, ask: () => Promise<boolean>): Promise<boolean> =>
  options.tokenFile === undefined && (options.yes === true || (await ask()));

/** A mirror in words. */
const mirrorLines = ({ id, name, standing, message, roots, retirementProposed }: MirrorAnswer): string[] => [
  `${standing.padEnd(8)} ${id ?? '-'}  ${name}`,
  ...(roots.length > 0 ? [`         roots of the epochs ${roots.join(', ')}`] : []),
  ...(message === null ? [] : [`         ${message}`]),
  ...(retirementProposed ? ['         its retirement is proposed and waits for another person'] : []),
];
