import type { OnApplicationBootstrap, OnApplicationShutdown } from '@nestjs/common';
import { Inject, Injectable } from '@nestjs/common';
import { CONTROL, LOGGER } from '#composition';
import type { Logger } from '#observability';
import type { Pool } from '#postgres';
import { migrate } from '#postgres';
import { IDEMPOTENCY_MIGRATIONS } from './idempotency-schema.js';
import { IdempotencySecrets } from './idempotency-secrets.js';

const HOUR_MS = 3_600_000;

/** Makes the tables when the api starts, and destroys what is 30 days old, then and every hour, by a clock that is confirmed. */
@Injectable()
export class IdempotencyUpkeep implements OnApplicationBootstrap, OnApplicationShutdown {
  #timer: NodeJS.Timeout | undefined;

  constructor(
    @Inject(CONTROL) private readonly control: Pool,
    private readonly secrets: IdempotencySecrets,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    await migrate(this.control, 'idempotency', IDEMPOTENCY_MIGRATIONS);
    // Not waited for: it asks the log about the clock, and the api starts while the log is away.
    void this.#destroyOld();
    this.#timer = setInterval(() => void this.#destroyOld(), HOUR_MS).unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.#timer);
  }

  async #destroyOld(): Promise<void> {
    // The next hour tries again; until then a secret past its date is not used either (`live` leaves it out).
    await this.secrets
      .destroyOld()
      .catch((error: unknown) => this.logger.warn(error, 'old idempotency records stay another hour'));
  }
}
