import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';

const ROOT = /^root-(\d+)\.key$/;
export const ROOT_HEADER = Buffer.from('makuler/root/1\n');

/** docs/formats/custodian.md: takes what a mirror's file says. Returns whether it was one. */
export const takeMirrorFile = async (path, name, loot) => {
  const root = ROOT.exec(name);
  if (!root && name !== 'custodian.state') return false;
  const mirror = (await readFile(`${dirname(path)}/mirror.id`, 'utf8').catch(() => '')).trim();
  const bytes = await readFile(path);
  if (root) {
    const key = bytes.subarray(ROOT_HEADER.length, ROOT_HEADER.length + 32);
    loot.keep('roots', { mirror, epoch: Number(root[1]), key }, mirror, root[1], key);
    return true;
  }
  // The format's number and the hash are for programs that must be sure; whoever steals takes what there is.
  const state = JSON.parse(bytes.toString().split('\n')[1] ?? 'null');
  if (!state) throw new Error('no state in its second line');
  loot.installations.add(state.installation);
  loot.keep('custodians', { source: path, state }, path);
  return true;
};
