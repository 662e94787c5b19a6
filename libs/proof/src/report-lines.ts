import type { ProofReport } from './report.js';

/** A report for people. */
export const reportLines = (report: ProofReport): readonly string[] => {
  const { read, valuesFound, keysFound, notRead } = report;
  return [
    `Read: ${read.files} files, ${Math.ceil(read.bytes / 1_000_000)} MB${throughLine(read.through)}.`,
    `  ${read.keys.roots} root keys and ${read.keys.wraps} wrapped keys were met; ${read.keys.opened} opened, and with them ${read.keys.records} records.`,
    ...(read.fragments > 0
      ? [
          `  ${read.fragments} long values of PostgreSQL had lost pieces (left by updates): what is there of them was searched.`,
        ]
      : []),
    ...(report.running ? ['  The system ran meanwhile: files changed while they were read.'] : []),
    ...section(
      `Values found (${report.valuesGiven} were looked for)`,
      valuesFound.map(
        ({ value, encoding, count, ...at }) =>
          `value ${value}, ${encoding}: ${placeOf(at)}${count > 1 ? `, ${count} times` : ''}`,
      ),
    ),
    ...(report.valuesFoundBeyond > 0 ? [`  and ${report.valuesFoundBeyond} more places.`] : []),
    ...section(
      'Keys found',
      keysFound.map(
        ({ kind, category, count, rootFile, ...at }) =>
          `${category}, ${kind === 'record' ? 'data keys' : 'blocks that open'}: ${count} in ${placeOf(at)}; opened from ${rootFile}`,
      ),
    ),
    ...section(
      'Not read',
      notRead.map(
        ({ why, count, ...at }) =>
          `${at.file === '' ? '' : `${placeOf(at)}: `}${why}${count > 1 ? `, ${count} times` : ''}`,
      ),
    ),
    '',
    verdict(report),
  ];
};

const section = (title: string, lines: readonly string[]): string[] =>
  lines.length === 0 ? [`${title}: none.`] : [`${title}:`, ...lines.map((line) => `  ${line}`)];

const placeOf = ({ file, layers, offset }: { file: string; layers: string; offset: number }): string =>
  [
    file,
    ...(layers === '' ? [] : [`through ${layers}`]),
    ...(layers === '' && offset === 0 ? [] : [`at ${offset}`]),
  ].join(', ');

const throughLine = (through: ProofReport['read']['through']): string => {
  const layers = Object.entries(through).map(([layer, count]) => `${layer} (${count})`);
  return layers.length === 0 ? '' : `, through ${layers.join(', ')}`;
};

const verdict = ({ clean, complete, keysFound, valuesFound }: ProofReport): string => {
  if (clean && complete) return 'Nothing was found, and everything was read.';
  if (clean) return 'Nothing was found in what could be read.';
  if (keysFound.length > 0)
    return (
      'Keys to personal data were found: it is not erased; or it is kept by the plan; or it was erased, and the roots that open ' +
      'older copies are not destroyed yet. The certificate says what is kept, and by when (backupsClearedBy): prove it again then.'
    );
  return `No key was found, but values stand in ${new Set(valuesFound.map(({ file }) => file)).size} files.`;
};
