import { writeFile } from 'node:fs/promises';
import { describeApi } from './create-api.js';
import { errorsPage } from './system/errors-page.js';

/** `npm run generate`: writes what is generated from the code and committed. A clean diff afterwards is part of `npm run check`. */
await writeFile('docs/errors.md', errorsPage());
await writeFile('docs/openapi.json', `${JSON.stringify(await describeApi(), null, 2)}\n`);
