import type { OnModuleInit } from '@nestjs/common';
import { Injectable } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { outcomeOf } from '#composition';
import { inSpan } from '#kernel';
import { Metrics } from '#observability';

/** Measures every command and query, and shows it in traces, whoever sends it: the one place through which all of them go is the bus. */
@Injectable()
export class MeasuredBuses implements OnModuleInit {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
    private readonly metrics: Metrics,
  ) {}

  onModuleInit(): void {
    const { metrics, commands, queries } = this;
    const execute = commands.execute.bind(commands);
    commands.execute = ((command: object) =>
      metrics.timed(
        'makuler_command_duration_seconds',
        () => inSpan({ name: command.constructor.name, kind: 'internal' }, () => execute(command as never)),
        (error) => ({ command: command.constructor.name, outcome: outcomeOf(error) }),
      )) as typeof commands.execute;
    const ask = queries.execute.bind(queries);
    queries.execute = ((query: object) =>
      metrics.timed(
        'makuler_query_duration_seconds',
        () => inSpan({ name: query.constructor.name, kind: 'internal' }, () => ask(query as never)),
        (error) => ({ query: query.constructor.name, outcome: outcomeOf(error) }),
      )) as typeof queries.execute;
  }
}
