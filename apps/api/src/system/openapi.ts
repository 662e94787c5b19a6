import type { INestApplication } from '@nestjs/common';
import { Injectable } from '@nestjs/common';
import type { OpenAPIObject } from '@nestjs/swagger';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { ERRORS } from '#kernel';

/** The OpenAPI document of the routes that this api serves; made once, when it starts. */
@Injectable()
export class ApiDocument {
  #document: OpenAPIObject | undefined;

  set current(document: OpenAPIObject) {
    this.#document = document;
  }
  get current(): OpenAPIObject {
    if (!this.#document) throw new Error('the OpenAPI document is made by createApi');
    return this.#document;
  }
}

/**
 * Makes the document from the controllers, and adds what the frame does for all of them: headers, problems, who may
 * call. `docs/openapi.json` is its committed form.
 */
export const openApiDocument = (app: INestApplication): OpenAPIObject => {
  const document = SwaggerModule.createDocument(
    app,
    new DocumentBuilder()
      .setTitle('Makuler')
      .setDescription('An event-sourced customer backend that can forget. Errors are explained at /errors/{code}.')
      .setVersion('1')
      .addBearerAuth({ type: 'http', scheme: 'bearer' })
      .build(),
    { operationIdFactory: (controller, method) => `${controller.replace(/Controller$/, '')}_${method}` },
  );
  document.components = { ...document.components, schemas: { ...document.components?.schemas, Problem: PROBLEM } };
  for (const item of Object.values(document.paths))
    for (const method of METHODS) {
      const operation = item[method] as Operation | undefined;
      if (operation) describeFrame(method, operation);
    }
  return document;
};

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;

interface Operation {
  parameters?: object[];
  responses: Record<string, object>;
  security?: object[];
  'x-roles'?: readonly string[];
  'x-personal-data'?: { readonly read?: readonly string[] };
  'x-reads-only'?: boolean;
}

const describeFrame = (method: (typeof METHODS)[number], operation: Operation): void => {
  if (operation['x-roles']?.includes('public')) return;
  operation.security = [{ bearer: [] }];
  const writes = method !== 'get' && !operation['x-reads-only'];
  const headers = [
    operation['x-personal-data']
      ? header('Makuler-Purpose', 'purpose id of the policy; a token may carry a default', false)
      : [],
    writes
      ? header('Idempotency-Key', 'fresh for each new command, the same for each repeat of it', method === 'post')
      : [],
    method === 'patch' ? header('If-Match', 'ETag of the last read', true) : [],
    writes ? [] : header('Makuler-After', 'log position that the answer must include', false),
  ].flat();
  operation.parameters = [...(operation.parameters ?? []), ...headers];
  operation.responses['default'] = {
    description: 'A problem (RFC 9457)',
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  };
};

const header = (name: string, description: string, required: boolean): object[] => [
  { name, in: 'header', required, description, schema: { type: 'string' } },
];

const text = { type: 'string' } as const;
const PROBLEM = {
  type: 'object' as const,
  required: ['type', 'title', 'status', 'code', 'detail', 'requestId'],
  properties: {
    type: text,
    title: text,
    status: { type: 'integer' as const },
    code: { ...text, enum: Object.keys(ERRORS) },
    detail: text,
    requestId: { ...text, format: 'uuid' },
    errors: {
      type: 'array' as const,
      items: {
        type: 'object' as const,
        required: ['path', 'code', 'message'],
        properties: { path: text, code: text, message: text },
      },
    },
  },
};
