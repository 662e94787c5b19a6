import { createProgram } from '../program.js';

describe('what changes a mirror of the custodian', () => {
  const { isTTY } = process.stdin;
  const streams = [process.stdout, process.stderr].map((stream) => ({ stream, write: stream.write }));
  let said: string;
  beforeEach(() => {
    said = '';
    process.stdin.isTTY = false;
    for (const { stream } of streams)
      stream.write = (text: string | Uint8Array) => {
        said += String(text);
        return true;
      };
  });
  afterEach(() => {
    process.stdin.isTTY = isTTY;
    process.exitCode = undefined;
    for (const { stream, write } of streams) stream.write = write;
  });

  it.each(['add', 'retire', 'repair'])(
    'asks first, and where nobody sits changes nothing and fails: %s',
    async (what) => {
      // There is nothing to reach: whoever did not ask before would say so.
      const words = ['custodian', what, 'one', '--json', '--home', '/nowhere'];
      await createProgram().parseAsync(words, { from: 'user' });
      expect(said).toBe('Nobody is there to be asked: give --yes.\n{"state":"unchanged"}\n');
      expect(process.exitCode).toBe(1);
      await expect(createProgram().parseAsync([...words, '--yes'], { from: 'user' })).rejects.toThrow('/nowhere');
    },
  );
});
