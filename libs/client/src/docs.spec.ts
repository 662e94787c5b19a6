import { readFile } from 'node:fs/promises';

describe('docs/client.md', () => {
  it('shows the example that the first journey runs, letter for letter', async () => {
    const [page, example] = await Promise.all(
      ['docs/client.md', 'test/journeys/web-shop.ts'].map((file) => readFile(file, 'utf8')),
    );
    expect(page).toContain(`\`\`\`ts\n${example!.trimEnd()}\n\`\`\``);
  });
});
