import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { ClockGuard } from '#retention';
import { isCommand } from '../commands/is-command.js';

const Whatever = Reflector.createDecorator<true>();

/** A command that is taken however wrong the clock is: the one that sets it right. */
export const WhateverTheClock = (): MethodDecorator => Whatever(true);

/** Takes no command while the clock is far from the last trusted instant: every date in what it wrote would be wrong for ever. */
@Injectable()
export class PlausibleClock implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly guard: ClockGuard,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    if (isCommand(this.reflector, context) && this.reflector.get(Whatever, context.getHandler()) !== true)
      await this.guard.assertPlausible();
    return true;
  }
}
