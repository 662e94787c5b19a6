import { Command } from 'commander';
import { addGlobalOptions } from './client/connection.js';
import { registerBackup } from './backup/backup.command.js';
import { registerDrill } from './backup/drill.command.js';
import { registerRestore } from './backup/restore.command.js';
import { registerCertificates } from './commands/certificates.command.js';
import { registerClock } from './commands/clock.command.js';
import { registerCustodian } from './commands/custodian.command.js';
import { registerErase } from './commands/erase.command.js';
import { registerRebuild } from './commands/rebuild.command.js';
import { registerRetention } from './commands/retention.command.js';
import { registerSealEpoch } from './commands/seal-epoch.command.js';
import { registerStatus } from './commands/status.command.js';
import { registerToken } from './commands/token.command.js';
import { registerVerifyCertificate } from './commands/verify-certificate.command.js';
import { registerVerifyLog } from './commands/verify-log.command.js';
import { registerDemo } from './demo/demo.command.js';
import { registerImport } from './import/import.command.js';
import { registerProve } from './proof/prove.command.js';
import { registerVerifyProof } from './proof/verify-proof.command.js';
import type { SystemOptions } from './up/options.js';
import { registerUp } from './up/up.command.js';

/** The `makuler` command. A file `*.command.ts` adds one command with its options; this list is all of them. */
const COMMANDS: readonly ((program: Command) => void)[] = [
  registerDemo,
  registerStatus,
  registerToken,
  registerErase,
  registerRetention,
  registerRebuild,
  registerClock,
  registerSealEpoch,
  registerCustodian,
  registerCertificates,
  registerVerifyCertificate,
  registerVerifyLog,
  registerImport,
  registerBackup,
  registerProve,
  registerVerifyProof,
];

/** `instead` replaces parts of what `up` runs, for mains under test/. */
export const createProgram = (instead: Partial<SystemOptions> = {}): Command => {
  const program = addGlobalOptions(new Command('makuler'))
    .description('An event-sourced customer backend that can forget')
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError();
  registerUp(program, instead);
  registerRestore(program, instead);
  registerDrill(program, instead);
  for (const register of COMMANDS) register(program);
  return program;
};
