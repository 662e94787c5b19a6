import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { newId } from '#kernel';
import { Refusal } from '../refusal.js';
import { readIfThere, writePrivate } from './files.js';
import type { Home } from './home.js';

const NAME = 'installation';
/** What the vault makes in a mirror first. */
const MIRROR = 'mirror.id';

/**
 * The random id of this installation, which stands in the home and at every file mirror of the custodian. Refuses a
 * custodian of another installation: its root keys open nothing here, and ours would be mixed with them. A mirror that is
 * away is answered, and none is made in its place: it would stand in the way when the right one is brought back. When all of
 * them are away, the vault's gate stays closed, and the rest comes up for whoever has to decide what to do.
 */
export const ensureInstallation = async (
  home: Home,
  mirrors: readonly string[],
): Promise<{ id: string; created: boolean; away: readonly string[] }> => {
  const kept = (await readIfThere(home.installation))?.trim();
  const found = await Promise.all(mirrors.map(async (mirror) => (await readIfThere(join(mirror, NAME)))?.trim()));
  for (const [index, there] of found.entries()) {
    if (there === undefined || there === kept) continue;
    throw kept === undefined
      ? new Refusal(
          `The home ${home.directory} is empty, but its custodian ${mirrors[index]} belongs to another installation.`,
          'Restore that home, or choose another --home; to begin anew for good, move the custodian directory away first.',
        )
      : new Refusal(
          `The home ${home.directory} and the custodian ${mirrors[index]} belong to different installations.`,
          'Bring home and custodian of the same installation together (--home, --custodian).',
        );
  }
  const enrolled = await Promise.all(mirrors.map(async (mirror) => readIfThere(join(mirror, MIRROR))));
  // Secrets and what the vault makes come after this function was through once: from then on every mirror has had its mark.
  const settled = [await readIfThere(home.secrets), ...enrolled].some((mark) => mark !== undefined);
  // One that was added by `custodian add` has no mark of ours, and is one all the same.
  const away = mirrors.filter((_, index) => settled && (found[index] ?? enrolled[index]) === undefined);
  const id = kept ?? newId();
  // The home first: a crash in between must not leave an empty home beside a custodian that is taken.
  if (kept === undefined) await writePrivate(home.installation, `${id}\n`);
  for (const [index, mirror] of mirrors.entries()) {
    if (found[index] !== undefined || settled) continue;
    await mkdir(mirror, { recursive: true, mode: 0o700 });
    await writePrivate(join(mirror, NAME), `${id}\n`);
  }
  return { id, created: kept === undefined, away };
};

/**
 * Makes a fresh home one of the installation that its custodian belongs to, before a restore. Refuses a custodian that is not
 * there: a new one would be made in its place, whose roots open nothing of the backup.
 */
export const adoptInstallation = async (home: Home, mirrors: readonly string[]): Promise<void> => {
  const found = await Promise.all(mirrors.map(async (mirror) => (await readIfThere(join(mirror, NAME)))?.trim()));
  const [id, ...others] = new Set(found.filter((mark) => mark !== undefined));
  if (mirrors.length > 0 && id === undefined)
    throw new Refusal(
      `There is no custodian at ${mirrors.join(' or ')}.`,
      'Name the one of the installation that was backed up with --custodian: without its root keys nothing of it opens.',
    );
  if (others.length > 0)
    throw new Refusal(
      `The custodians ${mirrors.join(' and ')} belong to different installations.`,
      'Name those of the installation that was backed up.',
    );
  if (id !== undefined && (await readIfThere(home.installation)) === undefined)
    await writePrivate(home.installation, `${id}\n`);
};
