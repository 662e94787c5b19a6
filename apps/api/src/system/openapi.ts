import type { INestApplication } from '@nestjs/common';
import { Injectable } from '@nestjs/common';
import type { OpenAPIObject } from '@nestjs/swagger';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { ERRORS } from '#kernel';
import { GONE } from '../http/answer-fields.js';
import { manifestSchemas } from './manifest-schemas.js';

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
  const ours = { Problem: PROBLEM, Gone: GONE, ...manifestSchemas() };
  const schemas = { ...document.components?.schemas, ...ours } as Schemas;
  document.components = { ...document.components, schemas };
  for (const item of Object.values(document.paths))
    for (const method of METHODS) {
      const operation = item[method] as Operation | undefined;
      if (operation) describeFrame(method, operation, schemas);
    }
  return document;
};

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;

type Schemas = NonNullable<NonNullable<OpenAPIObject['components']>['schemas']>;

interface Answered {
  description?: string;
  headers?: Record<string, object>;
  content?: Record<string, { readonly schema?: { readonly $ref?: string; readonly type?: string } }>;
}

interface Operation {
  parameters?: object[];
  responses: Record<string, Answered>;
  security?: object[];
  'x-roles'?: readonly string[];
  'x-personal-data'?: { readonly read?: readonly string[] };
  'x-reads-only'?: boolean;
}

const describeFrame = (method: (typeof METHODS)[number], operation: Operation, schemas: Schemas): void => {
  operation.responses['default'] = PROBLEM_ANSWER;
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
  for (const [status, answer] of Object.entries(operation.responses))
    if (status !== 'default') describeSuccess(writes, answer, schemas);
};

/** What the frame adds to every success: where it stands in the log, and pages as CSV. */
const describeSuccess = (writes: boolean, answer: Answered, schemas: Schemas): void => {
  answer.headers = writes
    ? {
        'Makuler-Position': said('Log position of what was written: send it as `Makuler-After` to read it back'),
        'Idempotency-Replayed': said('`true`: this key was answered before, and nothing was written now'),
        Location: said('Path of what was made'),
        ETag: said('Revision, for `If-Match`'),
      }
    : { ETag: said('Revision, for `If-Match`; of single resources that can be changed') };
  const name = answer.content?.['application/json']?.schema?.$ref?.split('/').at(-1);
  const schema = name === undefined ? undefined : schemas[name];
  if (!schema || !('properties' in schema) || !schema.properties?.['nextCursor']) return;
  answer.content!['text/csv'] = { schema: text };
  answer.headers['Makuler-Next-Cursor'] = said('`nextCursor`, where the answer is CSV; missing on the last page');
};

const said = (description: string) => ({ description, schema: { type: 'string' } });

const header = (name: string, description: string, required: boolean): object[] => [
  { name, in: 'header', required, description, schema: { type: 'string' } },
];

const text = { type: 'string' } as const;
const PROBLEM_ANSWER: Answered = {
  description: 'A problem (RFC 9457)',
  headers: { 'Retry-After': said('Seconds, where a repeat helps') },
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
};
const PROBLEM = {
  type: 'object' as const,
  description: 'Further members are facts about this problem, e.g. `allowed` of an `illegal-transition`',
  additionalProperties: true,
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
