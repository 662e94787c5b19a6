import { Module } from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import { AccessModule } from '../access/access.module.js';
import { ReadInterceptor } from './read.interceptor.js';

/** How reads are run: waited for, rendered, traced, and checked before they leave. */
@Module({ imports: [AccessModule], providers: [{ provide: APP_INTERCEPTOR, useClass: ReadInterceptor }] })
export class ReadsModule {}
