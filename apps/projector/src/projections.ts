import { analytics } from '#analytics';
import { companyCard } from '#companies';
import { customerCard } from '#customers';
import { erasureBoard } from '#erasure';
import type { Projection } from '#projections';
import { purchaseHistory } from '#purchases';
import { holdings } from '#retention';
import { serviceHistory, serviceStatus } from '#service';

/** Every read model of the system: one line each. */
export const projections: readonly Projection[] = [
  customerCard,
  companyCard,
  purchaseHistory,
  serviceStatus,
  serviceHistory,
  holdings,
  erasureBoard,
  analytics,
];
