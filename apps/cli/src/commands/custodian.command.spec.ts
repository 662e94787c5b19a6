import { jest } from '@jest/globals';
import { createProgram } from '../program.js';

describe('what changes a mirror of the custodian', () => {
  const { isTTY } = process.stdin;
  beforeEach(() => {
    process.stdin.isTTY = false;
  });
  afterEach(() => {
    process.stdin.isTTY = isTTY;
    jest.restoreAllMocks();
    process.exitCode = undefined;
  });

  it.each(['add', 'retire', 'repair'])(
    'asks first, and where nobody sits changes nothing and fails: %s',
    async (what) => {
      const said: string[] = [];
      for (const stream of [process.stdout, process.stderr])
        jest.spyOn(stream, 'write').mockImplementation((text) => said.push(String(text)) > 0);
      // There is nothing to reach: whoever did not ask before would say so.
      const words = ['custodian', what, 'one', '--json', '--home', '/nowhere'];
      await createProgram().parseAsync(words, { from: 'user' });
      expect(said.join('')).toBe('Nobody is there to be asked: give --yes.\n{"state":"unchanged"}\n');
      expect(process.exitCode).toBe(1);
      await expect(createProgram().parseAsync([...words, '--yes'], { from: 'user' })).rejects.toThrow('/nowhere');
    },
  );
});
