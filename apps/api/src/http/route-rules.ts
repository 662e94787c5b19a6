import type { OnApplicationBootstrap } from '@nestjs/common';
import { Injectable } from '@nestjs/common';
import { DiscoveryService, MetadataScanner, Reflector } from '@nestjs/core';
import { personalDataUseOf } from '../access/personal-data.js';
import { rolesOf } from '../access/roles.js';
import { RenderedBy } from '../commands/is-command.js';

/** Nest's own key for what `@Get()` and the others leave on a method. */
const METHOD_METADATA = 'method';

/** Looks at every route when the api starts, and keeps it from starting when one says too little about who may do what (P9). */
@Injectable()
export class RouteRules implements OnApplicationBootstrap {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly reflector: Reflector,
  ) {}

  onApplicationBootstrap(): void {
    const problems = this.discovery.getControllers().flatMap(({ metatype, instance }) => {
      if (!metatype || !instance) return [];
      const prototype = Object.getPrototypeOf(instance) as Record<string, unknown>;
      return this.scanner.getAllMethodNames(prototype).flatMap((name) => {
        const method = prototype[name];
        return typeof method === 'function' && Reflect.hasMetadata(METHOD_METADATA, method)
          ? this.#problemsOf(metatype as new () => unknown, name, method as () => unknown)
          : [];
      });
    });
    if (problems.length > 0) throw new Error(`The api does not start:\n  ${problems.join('\n  ')}`);
  }

  #problemsOf(controller: new () => unknown, name: string, method: () => unknown): string[] {
    const at = `${controller.name}.${name}`;
    const roles = rolesOf(this.reflector, method, controller);
    const problems: string[] = [];
    if (!roles) problems.push(`${at}: say who may call it, @Roles(…)`);
    if (roles?.includes('public') && personalDataUseOf(this.reflector, method, controller))
      problems.push(`${at}: personal data is never public`);
    const renderer = this.reflector.get(RenderedBy, method);
    if (renderer !== undefined && !(renderer in controller.prototype))
      problems.push(`${at}: there is no method ${renderer}`);
    return problems;
  }
}
