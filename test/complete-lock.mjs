/**
 * Completes package-lock.json with the packages of other platforms. A registry mirror may lack them; npm then writes a lock
 * file without them, and `npm ci` refuses it as out of step. They are only named here (exact version, os, cpu): npm skips what is
 * not for the machine that it runs on. Run it after each `npm install`: `npm run lock`.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const FILE = new URL('../package-lock.json', import.meta.url);
const SYSTEMS = ['darwin', 'linux', 'win32', 'android', 'freebsd', 'openharmony', 'aix', 'sunos', 'openbsd', 'netbsd'];
const PROCESSORS = ['arm64', 'x64', 'ia32', 'ppc64', 's390x', 'riscv64', 'loong64', 'arm', 'wasm32'];

const platformOf = (name) => {
  const parts = name.toLowerCase().split(/[-/]/);
  const os =
    name === 'fsevents'
      ? 'darwin'
      : SYSTEMS.find((system) => parts.includes(system) || (system === 'win32' && parts.includes('windows')));
  const cpu = PROCESSORS.find((processor) =>
    parts.some((part) => part === processor || (processor === 'arm' && part === 'armv7')),
  );
  return {
    ...(cpu ? { cpu: [cpu] } : {}),
    ...(os && cpu !== 'wasm32' ? { os: [os] } : {}),
    ...(name.includes('musl') ? { libc: ['musl'] } : {}),
  };
};

const lock = JSON.parse(readFileSync(FILE, 'utf8'));
const packages = Object.fromEntries(
  Object.entries(lock.packages).filter(([path, entry]) => path === '' || entry.version || entry.link),
);
for (const [parent, { optionalDependencies = {}, dev }] of Object.entries(packages))
  for (const [name, range] of Object.entries(optionalDependencies)) {
    if (packages[`node_modules/${name}`] || packages[`${parent}/node_modules/${name}`]) continue;
    const version = range.replace(/^[\^~]/, '');
    const platform = platformOf(name);
    if (!platform.os && !platform.cpu) continue;
    const { libc, os, cpu } = platform;
    packages[`node_modules/${name}`] = {
      version,
      ...(cpu ? { cpu } : {}),
      ...(dev ? { dev } : {}),
      optional: true,
      ...(os ? { os } : {}),
      ...(libc ? { libc } : {}),
    };
  }
lock.packages = Object.fromEntries(Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(FILE, `${JSON.stringify(lock, null, 2)}\n`);
