import { startOwnNode } from './event-node.js';
import { describeEventStore } from './suite.js';

describeEventStore('our event node', () => startOwnNode(), { fresh: true, own: true });
