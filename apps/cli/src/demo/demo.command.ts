import { isDeepStrictEqual } from 'node:util';
import type { Command } from 'commander';
import type { GlobalOptions } from '../client/connection.js';
import { action } from '../command.js';
import type { Told } from './asking.js';
import { ask, askForTheBooks } from './asking.js';
import { doBusiness } from './business.js';
import { forget } from './forgetting.js';
import { look, lookIntoFiles, rebuildCards } from './looking.js';
import type { SampleCustomers } from './sample-customers.js';
import { loadSampleCustomers, valuesOf } from './sample-customers.js';
import { openStage } from './stage.js';
import { scopesIn } from './stored.js';
import { Story } from './story.js';

/** `makuler demo`: the whole story against the running system, with what it really answers and stores. Can be run again. */
export const registerDemo = (program: Command): void => {
  program
    .command('demo')
    .description('sample customers buy and are served, one is forgotten, and nothing gives that person back')
    .action(
      action<GlobalOptions, []>(async ({ output, options }) => {
        const samples = await loadSampleCustomers();
        const stage = await openStage(options);
        const story = new Story(output);
        try {
          const leaving = await doBusiness(stage, story, samples);

          story.chapter('The service desk and the analyst ask');
          const before = await ask(stage, story, leaving, samples);
          story.claim(
            'the person is found, and the card can be read',
            before.found && before.card.name === samples.leaving.name,
          );

          story.chapter('What is stored: sealed from the first moment');
          const storedBefore = await look(stage, story, leaving);
          story.claim('no file holds a value in clear', await lookIntoFiles(stage, story, samples, leaving));

          const { erasureId, keeps } = await forget(stage, story, leaving);

          story.chapter('The same questions again');
          const after = await ask(stage, story, leaving, samples);
          story.claim('nobody is found, and every field of the card is erased', !after.found && isErased(after));
          story.claim('no answer holds a value of the person', !holdsAny(after, samples));
          if (keeps) await askForTheBooks(stage, story, leaving);
          story.claim('the figures of the analyst are letter for letter what they were', after.sales === before.sales);

          story.chapter('What is stored now: the same bytes, and no key to them');
          const storedAfter = await look(stage, story, leaving);
          const unchanged = storedBefore.events.every((event, i) => isDeepStrictEqual(storedAfter.events[i], event));
          story.claim('the log was not changed: every event is there as it was', unchanged);
          const cardKeys = scopesIn(storedBefore.events.slice(0, 1)).map((scope) => storedAfter.keys.get(scope));
          story.claim('of the key that opened the card a tombstone is left', isDeepStrictEqual(cardKeys, ['erased']));
          story.claim(
            'the read model kept the sealed block, which nothing opens',
            storedAfter.card === storedBefore.card,
          );
          if ([...storedAfter.keys.values()].includes('live'))
            story.say(
              keeps
                ? 'Keys that are still live are of what the plan keeps for the law, until its date.'
                : 'Keys that are still live are of the company, which bought it and is no person.',
            );
          story.claim('no file holds a value of the person', await lookIntoFiles(stage, story, samples, leaving));

          story.chapter('The read model is built anew, from the first event of the log on');
          story.claim('the rebuild ended', await rebuildCards(stage));
          const rebuilt = await ask(stage, story, leaving, samples);
          story.claim('it ends as it was: erased', isErased(rebuilt) && !rebuilt.found && !holdsAny(rebuilt, samples));

          const { claims } = story;
          const holds = claims.every((claim) => claim.holds);
          output.result({ customerId: leaving.customerId, erasureId, policy: stage.policy.version, holds, claims }, [
            '',
            holds
              ? `All ${claims.length} claims hold. Run it again: the others stay, and somebody new is forgotten.`
              : `${claims.filter((claim) => !claim.holds).length} of ${claims.length} claims do not hold.`,
          ]);
          return holds;
        } finally {
          await stage.close();
        }
      }),
    );
};

const PERSONAL = ['name', 'phone', 'email'] as const;

const isErased = ({ card }: Told): boolean =>
  PERSONAL.every((field) => isDeepStrictEqual(card[field], { $state: 'erased' }));

const holdsAny = (told: Told, samples: SampleCustomers): boolean => {
  const said = JSON.stringify(told);
  return valuesOf(samples.leaving).some((value) => said.includes(value));
};
