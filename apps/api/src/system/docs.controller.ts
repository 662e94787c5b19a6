import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { Controller, Get, Header } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { Roles } from '../access/roles.js';
import { ApiDocument } from './openapi.js';

const require = createRequire(import.meta.url);
const asset = (name: string): Promise<Buffer> => readFile(require.resolve(`swagger-ui-dist/${name}`));

const PAGE = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Makuler API</title><link rel="stylesheet" href="/docs/swagger-ui.css"></head>
<body><div id="api"></div><script src="/docs/swagger-ui-bundle.js"></script><script src="/docs/start.js"></script></body>
</html>
`;
// The page loads nothing from other hosts, and asks none to judge the document either.
const START = `SwaggerUIBundle({ url: '/openapi.json', dom_id: '#api', validatorUrl: null });\n`;

/** The API's documentation: the OpenAPI document, and a page that shows it and can try it. */
@ApiExcludeController()
@Roles('public')
@Controller()
export class DocsController {
  constructor(private readonly document: ApiDocument) {}

  @Get('openapi.json')
  openapi(): object {
    return this.document.current;
  }

  @Get('docs')
  @Header('content-type', 'text/html; charset=utf-8')
  page(): string {
    return PAGE;
  }

  @Get('docs/start.js')
  @Header('content-type', 'text/javascript; charset=utf-8')
  start(): string {
    return START;
  }

  @Get('docs/swagger-ui.css')
  @Header('content-type', 'text/css; charset=utf-8')
  styles(): Promise<Buffer> {
    return asset('swagger-ui.css');
  }

  @Get('docs/swagger-ui-bundle.js')
  @Header('content-type', 'text/javascript; charset=utf-8')
  bundle(): Promise<Buffer> {
    return asset('swagger-ui-bundle.js');
  }
}
