import { GrpcVault } from '#vault';

// A process that holds a lease, does one thing for each message, and answers with a word. Runs on the built code.
const AD = new TextEncoder().encode('event');
let vault;
let held;
let session;
let finish;

const open = () => {
  const text = Buffer.from(vault.open(held.key, held.block, AD)).toString();
  vault.assertCurrent([held.key.scopeId]);
  return text;
};

const act = async ({ connect, read, peek, begin, seal }) => {
  if (connect) {
    vault = new GrpcVault(connect);
    await vault.ready(10_000);
    return 'ready';
  }
  if (read) {
    const found = (await vault.openingKeys([read.scopeId])).get(read.scopeId);
    if (found.state !== 'live') return found.state;
    held = { key: found.key, block: Buffer.from(read.block, 'base64') };
    return open();
  }
  if (peek) return open();
  if (begin) {
    finish?.();
    await new Promise((resolve, reject) =>
      vault
        .withSealing([begin], async (given) => {
          session = given;
          resolve();
          await new Promise((done) => (finish = done));
        })
        .catch(reject),
    );
    return 'begun';
  }
  if (seal) {
    session.seal(session.keys[0], new Uint8Array(), AD);
    return 'sealed';
  }
};

process.on('message', (message) => {
  act(message).then(
    (answer) => process.send(answer),
    (error) => process.send(error.code ?? String(error)),
  );
});
