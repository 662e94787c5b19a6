import { createInterface } from 'node:readline/promises';
import type { Output } from '../output.js';

/** Asks the person at the terminal whether to destroy what was shown. Where nobody sits, the answer is no. */
export const agreed = async (
  output: Output,
  question = 'Destroy what the plan says? This cannot be undone.',
): Promise<boolean> => {
  if (!process.stdin.isTTY) {
    output.note('Nobody is there to be asked: give --yes.');
    return false;
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question(`${question} Type "yes": `);
    return answer.trim() === 'yes';
  } finally {
    terminal.close();
  }
};
