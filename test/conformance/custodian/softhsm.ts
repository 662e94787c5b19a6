import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import koffi from 'koffi';

const LIBRARIES = ['/usr/lib/softhsm/libsofthsm2.so', '/usr/local/lib/softhsm/libsofthsm2.so'];
const MODULE = LIBRARIES.find((path) => existsSync(path));

/** Whether SoftHSM2 is installed (`apt-get install softhsm2`); CI forbids that it is not. */
export const hasSoftHsm = MODULE !== undefined;

export interface SoftToken {
  readonly pinFile: string;
  /** The place of a mirror on the token; several share it by name. */
  uri(object: string): string;
  /** As if it had been taken out and put back: every session is over. */
  endSessions(): void;
  end(): Promise<void>;
}

/** Makes a token in a directory of its own. Once in a process: the library reads its configuration when it is first loaded. */
export const startSoftToken = async (): Promise<SoftToken> => {
  const directory = await mkdtemp(join(tmpdir(), 'makuler-token-'));
  const [configuration, pinFile] = [join(directory, 'softhsm2.conf'), join(directory, 'pin')];
  await mkdir(join(directory, 'tokens'));
  await writeFile(
    configuration,
    `directories.tokendir = ${join(directory, 'tokens')}\nobjectstore.backend = file\nlog.level = ERROR\n`,
  );
  await writeFile(pinFile, '4321\n', { mode: 0o600 });
  await promisify(execFile)(
    'softhsm2-util',
    ['--init-token', '--free', '--label', 'makuler test', '--pin', '4321', '--so-pin', '87654321'],
    { env: { ...process.env, SOFTHSM2_CONF: configuration } },
  );
  // Jest gives its tests a copy of the environment, and the library reads the process's own.
  koffi.load(null).func('int setenv(const char *name, const char *value, int overwrite)')(
    'SOFTHSM2_CONF',
    configuration,
    1,
  );
  return {
    pinFile,
    uri: (object) => `pkcs11:token=makuler%20test;object=${object}?module-path=${MODULE!}&pin-source=file:${pinFile}`,
    endSessions: () => {
      const library = koffi.load(MODULE!);
      const [slots, count] = [new BigUint64Array(8), new BigUint64Array([8n])];
      library.func('C_GetSlotList', 'unsigned long', ['uint8_t', 'void *', 'void *'])(1, slots, count);
      const close = library.func('C_CloseAllSessions', 'unsigned long', ['unsigned long']);
      for (const slot of slots.subarray(0, Number(count[0]))) close(slot);
    },
    end: async () => {
      // The next file of tests may run in this process, with a token of its own.
      koffi.load(MODULE!).func('unsigned long C_Finalize(void *reserved)')(null);
      await rm(directory, { recursive: true });
    },
  };
};
