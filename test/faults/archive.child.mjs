import { Backups, Inventory, restoreSet, verifySet } from '#backup';
import { SystemClock } from '#kernel';
import { EventStoreDb } from '#ledger';
import { createPool } from '#postgres';
import { askVaultStatus } from '#vault';
import { GrpcVaultArchive, GrpcVaultOperations } from '#vault/operations';

// A process that takes one backup, or brings one set back, as the command line does it, and says how that ended. Runs on the
// built code; to be killed.
const { task, directory, incarnation, eventStoreUrl, controlUrl, vault: address } = JSON.parse(process.argv[2]);
const store = new EventStoreDb(eventStoreUrl);
const control = createPool(controlUrl, { name: 'archive', max: 4 });
const vault = new GrpcVaultArchive(address);
const clock = new SystemClock();

const backup = async () => {
  const inventory = new Inventory(control, new GrpcVaultOperations(address), clock);
  const { directory: set, cleared } = await new Backups({ store, vault, control, clock, inventory }).take({
    directory,
  });
  return { set, cleared };
};
const restore = async () => {
  const manifest = await verifySet(directory);
  const vaultState = () => askVaultStatus(address);
  return restoreSet({ store, vault, vaultState, control }, { directory, manifest, incarnation });
};

const said = await (task === 'backup' ? backup() : restore()).catch((error) => ({
  failed: error.code ?? String(error.stack),
  why: error.detail,
}));
process.stdout.write(`${JSON.stringify(said)}\n`, () => process.exit(said.failed ? 1 : 0));
