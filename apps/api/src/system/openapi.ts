import type { INestApplication } from '@nestjs/common';
import { Injectable } from '@nestjs/common';
import type { OpenAPIObject } from '@nestjs/swagger';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';

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

/** Makes the document from the controllers. `docs/openapi.json` is its committed form. */
export const openApiDocument = (app: INestApplication): OpenAPIObject =>
  SwaggerModule.createDocument(
    app,
    new DocumentBuilder()
      .setTitle('Makuler')
      .setDescription('An event-sourced customer backend that can forget. Errors are explained at /errors/{code}.')
      .setVersion('1')
      .addBearerAuth({ type: 'http', scheme: 'bearer' })
      .addSecurityRequirements('bearer')
      .build(),
    { operationIdFactory: (controller, method) => `${controller.replace(/Controller$/, '')}_${method}` },
  );
