import { closeSync, openSync, readSync } from 'node:fs';
import { dumpWatches } from './dump-frames.js';
import { filesBelow, reasonOf } from './files.js';
import { COMPRESSED, rawDeflate } from './inflate.js';
import { lz4Watch } from './lz4.js';
import { pageImageWatch } from './page-images.js';
import type { Place } from './place.js';
import { inFile, layersOf, within } from './place.js';
import type { Watch } from './probes.js';
import { Probes } from './probes.js';
import type { Course } from './region.js';
import { Region } from './region.js';
import { SEALED } from './sealed-formats.js';
import { LongValues } from './toast.js';
import { varlenaWatch } from './varlena.js';
import { writeAheadLogWatch } from './write-ahead-log.js';

const READ_BYTES = 1024 * 1024;

/** What could not be read, and why: an errno, or a sentence. Once for each reason in a file, with how often. */
export interface Unread {
  readonly file: string;
  readonly layers: string;
  readonly offset: number;
  readonly why: string;
  count: number;
}

/** What was read, and what was not. */
export interface ReadingResult {
  readonly files: number;
  readonly bytes: number;
  /** How often something was read through each kind of layer. */
  readonly through: Readonly<Record<string, number>>;
  /** Long values of which pieces are gone, searched as they stand. */
  readonly fragments: number;
  readonly unread: readonly Unread[];
}

/** What is looked for in one reading. */
export interface Interest {
  readonly watches: readonly Watch[];
  readonly token?: Course['token'];
  /** Each path, before what it holds: names are read too. */
  readonly name?: (path: string) => void;
}

/** Goes once through every byte at or below the paths, through all layers that are understood. Writes nothing. */
export const readAll = async (
  paths: readonly string[],
  interest: Interest,
  progress: (bytes: number) => void = () => undefined,
): Promise<ReadingResult> => {
  const longValues = new LongValues();
  const through: Record<string, number> = {};
  const unread = new Map<string, Unread>();
  const course: Course = {
    probes: new Probes([
      ...COMPRESSED,
      ...SEALED,
      lz4Watch,
      ...dumpWatches(),
      varlenaWatch,
      longValues.watch,
      writeAheadLogWatch,
      pageImageWatch,
      ...interest.watches,
    ]),
    ...(interest.token ? { token: interest.token } : {}),
    unread: (place, at, why) => {
      const key = `${place.file}\n${why}`;
      const known = unread.get(key);
      if (known) known.count += 1;
      else unread.set(key, { file: place.file, layers: layersOf(place), offset: at, why, count: 1 });
    },
    through: (layer) => (through[layer] = (through[layer] ?? 0) + 1),
  };
  const memory = Buffer.allocUnsafeSlow(READ_BYTES);
  let files = 0;
  let bytes = 0;
  for (const found of filesBelow(paths)) {
    interest.name?.(found.path);
    const place = inFile(found.path);
    if (found.kind === 'unread') course.unread(place, 0, found.why);
    if (found.kind === 'link') await new Region(course, within(place, 'link', 0)).whole(Buffer.from(found.target));
    if (found.kind !== 'file') continue;
    files += 1;
    await readFile(found.path, memory, course, place, (length) => progress((bytes += length)));
  }
  for (const { place, at, layer, bytes: content } of longValues.rest())
    await new Region(course, within(place, layer, at), 1).whole(content);
  return { files, bytes, through, fragments: longValues.fragments, unread: [...unread.values()] };
};

const readFile = async (
  path: string,
  memory: Buffer,
  course: Course,
  place: Place,
  progress: (bytes: number) => void,
): Promise<void> => {
  let file: number | undefined;
  try {
    // Synchronous: there is nothing else to do meanwhile, and most files are so small that waiting would take longer.
    const opened = (file = openSync(path, 'r'));
    const read = (offset: number) => {
      const length = readSync(opened, memory, 0, memory.length, offset);
      progress(length);
      return memory.subarray(0, length);
    };
    let part = read(0);
    const inner = new Region(course, within(place, 'deflate', 0), 1);
    const deflated = rawDeflate(part)?.(inner, () => undefined);
    const region = new Region(course, place);
    // Most files are small: they are gone through where they were read.
    if (part.length < memory.length) {
      await deflated?.push(part);
      await region.whole(part);
    } else {
      for (let offset = 0; part.length > 0; part = read((offset += part.length))) {
        await deflated?.push(part);
        await region.push(part);
      }
      await region.end();
    }
    await deflated?.end();
  } catch (error) {
    // Gone meanwhile: a database at work removes its files.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') course.unread(place, 0, reasonOf(error as Error));
  } finally {
    if (file !== undefined) closeSync(file);
  }
};
