import type { Problem } from './manifest-document.js';

/** Every name that stands in a list of the manifest a second time, as a problem. */
export const twice = <T>(list: readonly T[], nameOf: (item: T) => string, what: string, ...at: string[]): Problem[] =>
  list.flatMap((item, i) =>
    list.findIndex((other) => nameOf(other) === nameOf(item)) < i
      ? [
          {
            at: [...at, i],
            message: `The ${what} "${nameOf(item)}" stands here a second time. Give it another name, or take it out.`,
          },
        ]
      : [],
  );
