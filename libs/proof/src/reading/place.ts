/** One layer that stands between a file's bytes and what was read: `gzip` that begins at an offset of what is around it. */
interface Layer {
  readonly name: string;
  readonly at: number;
}

/** Where something is: the file, and through which layers. */
export interface Place {
  readonly file: string;
  readonly layers: readonly Layer[];
}

export const inFile = (file: string): Place => ({ file, layers: [] });

export const within = ({ file, layers }: Place, name: string, at: number): Place => ({
  file,
  layers: [...layers, { name, at }],
});

/** `gzip at 512, base64 at 80`; empty for the file's own bytes. */
export const layersOf = ({ layers }: Place): string => layers.map(({ name, at }) => `${name} at ${at}`).join(', ');

/** The same for all places in a file that are reached through the same kinds of layers. */
export const kindOf = ({ file, layers }: Place): string => [file, ...layers.map(({ name }) => name)].join('\n');
