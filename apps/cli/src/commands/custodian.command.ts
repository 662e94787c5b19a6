import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { MirrorAnswer } from '#client';
import { agreed } from '../client/agreement.js';
import type { GlobalOptions } from '../client/connection.js';
import { connect } from '../client/connection.js';
import { action } from '../command.js';
import type { Output } from '../output.js';

interface ChangeOptions extends GlobalOptions {
  readonly yes?: boolean;
}

const YES = ['--yes', 'do not ask'] as const;

/**
 * `makuler custodian status|add|retire|repair`: the mirrors that keep the root keys and the journal of shreds. What changes one asks
 * first; where nobody sits, and without `--yes`, it changes nothing and ends with status 1.
 */
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
    .option(...YES)
    .action(
      action<ChangeOptions, [string]>(async ({ output, options }, place) => {
        if (
          !(await agreesTo(`${place} gets root keys, and its confirmations are waited for. Enrol it?`, options, output))
        )
          return false;
        const api = await connect(options, 'operator');
        const { body } = await api.post('/v1/vault/mirrors', { body: { place: placeOf(place) } });
        output.result(body, [
          `The mirror at ${place} is enrolled as ${body.mirrorId}. The vault finds it again by itself.`,
        ]);
        return true;
      }),
    );
  custodian
    .command('retire')
    .description('take out a mirror that is gone for good; another person approves')
    .argument('<ID>')
    .option(...YES)
    .action(
      action<ChangeOptions, [string]>(async ({ output, options }, id) => {
        const question = `What the mirror ${id} may still hold, nobody will confirm as destroyed. Retire it? This cannot be undone.`;
        if (!(await agreesTo(question, options, output))) return false;
        const operator = await connect(options, 'operator');
        await operator.post('/v1/vault/mirrors/{id}/retirement', { path: { id } });
        // One token is one person, who proposed it and so may not approve.
        if (options.tokenFile !== undefined) {
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
    .option(...YES)
    .action(
      action<ChangeOptions, [string]>(async ({ output, options }, id) => {
        const question = `What the mirror ${id} holds is replaced by what the others hold; journals are united. Repair it? This cannot be undone.`;
        if (!(await agreesTo(question, options, output))) return false;
        const api = await connect(options, 'operator');
        const { body } = await api.post('/v1/vault/mirrors/{id}/repair', { path: { id } });
        output.result(body, [`The mirror ${id} is as the others again.`]);
        return true;
      }),
    );
};

/** The vault takes absolute directories only: it runs elsewhere than this command. */
const placeOf = (place: string): string => (place.startsWith('pkcs11:') ? place : resolve(place));

const agreesTo = async (question: string, { yes }: ChangeOptions, output: Output): Promise<boolean> => {
  if (yes || (await agreed(output, question))) return true;
  output.result({ state: 'unchanged' }, ['Nothing was changed.']);
  return false;
};

/** A mirror in words. */
const mirrorLines = ({ id, name, standing, message, roots, retirementProposed }: MirrorAnswer): string[] => [
  `${standing.padEnd(8)} ${id ?? '-'}  ${name}`,
  ...(roots.length > 0 ? [`         roots of the epochs ${roots.join(', ')}`] : []),
  ...(message === null ? [] : [`         ${message}`]),
  ...(retirementProposed ? ['         its retirement is proposed and waits for another person'] : []),
];
