import { inspect } from 'node:util';
import { Personal } from './personal.js';

describe('Personal', () => {
  const name = new Personal('Kari Nordmann');
  it.each([
    ['template', `${name}`],
    ['JSON', JSON.stringify({ name })],
    ['inspect', inspect({ name }, { depth: 9, showHidden: true })],
    ['concatenation', 'x' + String(name)],
  ])('does not show its value by %s', (_, text) => expect(text).not.toContain('Kari'));
  it('reveals on purpose', () => expect(name.reveal()).toBe('Kari Nordmann'));
});
