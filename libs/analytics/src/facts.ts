import { sql } from 'kysely';
import type { Facts } from './figures.js';

const month = (column: string) => sql`to_char(${sql.ref(column)}, 'YYYY-MM')`;

/** Sales: how much of what, in which currency. Amounts are net of VAT and exact. */
export const SALES: Facts = {
  table: 'analytics.sales',
  day: 'day',
  dimensions: {
    month: month('day'),
    day: sql`to_char(day, 'YYYY-MM-DD')`,
    itemType: sql`item_type`,
    kind: sql`kind`,
    region: sql`region`,
    sector: sql`sector`,
    firstPurchase: sql`first_purchase`,
    currency: sql`currency`,
  },
  measures: {
    purchases: sql`count(distinct position)`,
    lines: sql`count(*)`,
    quantity: sql`sum(quantity)`,
    amount: sql`sum(amount)`,
  },
  size: sql`count(distinct position)`,
  always: ['currency'],
};

/** Service: how many cases of which kind, and how long they took. By the month in which they were opened. */
export const SERVICE: Facts = {
  table: 'analytics.service_cases',
  day: 'opened_on',
  dimensions: {
    month: month('opened_on'),
    kind: sql`kind`,
    itemType: sql`item_type`,
    status: sql`status`,
  },
  measures: {
    cases: sql`count(*)`,
    closed: sql`count(closed_on)`,
    reopened: sql`coalesce(sum(reopened), 0)`,
    /** Days from opening to closing, over the closed cases: divide by `closed` for the mean. */
    daysToClose: sql`coalesce(sum(closed_on - opened_on), 0)`,
  },
  size: sql`count(*)`,
  always: [],
};

/** Customers: how many persons entered which relationship, by month. */
export const CUSTOMERS: Facts = {
  table: 'analytics.customers',
  day: 'month',
  dimensions: {
    month: month('month'),
    relationship: sql`relationship`,
    sector: sql`sector`,
    region: sql`nullif(region, '')`,
  },
  measures: { persons: sql`sum(persons)` },
  size: sql`sum(persons)`,
  always: [],
};
