import type { LibraryHandle } from 'koffi';
import { CKF_OS_LOCKING_OK, CKR } from './cryptoki-constants.js';

/** What a token answered instead of OK. The number is PKCS#11's CKR_…; nothing of what was asked is in it. */
export class CryptokiError extends Error {
  override readonly name = 'CryptokiError';
  constructor(
    readonly call: string,
    readonly code: number,
  ) {
    super(`${call}: CKR 0x${code.toString(16)}`);
  }
}

const LONG = 'unsigned long';
const POINTER = 'void *';
/** Every call that is used, with its parameters. All answer a CK_RV. */
const CALLS = {
  C_Initialize: [POINTER],
  C_GetSlotList: ['uint8_t', POINTER, POINTER],
  C_GetTokenInfo: [LONG, POINTER],
  C_OpenSession: [LONG, LONG, POINTER, POINTER, POINTER],
  C_CloseSession: [LONG],
  C_Login: [LONG, LONG, POINTER, LONG],
  C_CreateObject: [LONG, POINTER, LONG, POINTER],
  C_DestroyObject: [LONG, LONG],
  C_GetAttributeValue: [LONG, LONG, POINTER, LONG],
  C_FindObjectsInit: [LONG, POINTER, LONG],
  C_FindObjects: [LONG, POINTER, LONG, POINTER],
  C_FindObjectsFinal: [LONG],
  C_GenerateKey: [LONG, POINTER, POINTER, LONG, POINTER],
  C_EncryptInit: [LONG, POINTER, LONG],
  C_Encrypt: [LONG, POINTER, LONG, POINTER, POINTER],
  C_DecryptInit: [LONG, POINTER, LONG],
  C_Decrypt: [LONG, POINTER, LONG, POINTER, POINTER],
} as const;
type Call = keyof typeof CALLS;
type Argument = number | bigint | Buffer | null;

/** Bytes of CK_ULONG and of a pointer: 64-bit Linux and macOS, where PKCS#11's structures are not packed. */
export const WORD = 8;

/** CK_ULONGs (and addresses) in a row: how all of PKCS#11's structures look on these systems. */
export const words = (...values: readonly (number | bigint)[]): Buffer => {
  const bytes = Buffer.alloc(values.length * WORD);
  values.forEach((value, index) => bytes.writeBigUInt64LE(BigInt(value), index * WORD));
  return bytes;
};
export const wordAt = (bytes: Buffer, index = 0): number => Number(bytes.readBigUInt64LE(index * WORD));

/** What comes with a call besides its arguments. */
interface CallOptions {
  /** Answers besides OK that are no error. */
  readonly alsoFine?: readonly number[];
  /** What the structures among the arguments point at: kept in memory until the call is over. */
  readonly pointedAt?: readonly Buffer[];
}

/**
 * A vendor's library. Calls run on another thread, so that a token that is slow does not stop the vault, and one after the
 * other, whatever their sessions: libraries that were promised locks of the operating system are not all safe. SoftHSM 2.6.1
 * lists a new object's file while another thread is still writing it, takes it for damaged, and the writer gets a
 * GENERAL_ERROR or a TEMPLATE_INCONSISTENT.
 */
export class Cryptoki {
  static readonly #loaded = new Map<string, Promise<Cryptoki>>();
  #turn: Promise<unknown> = Promise.resolve();
  /** Native code holds addresses, not references: the collector must find these elsewhere while it runs. */
  readonly #inUse = new Set<unknown>();

  private constructor(
    private readonly calls: ReadonlyMap<Call, ReturnType<LibraryHandle['func']>>,
    /** Where the bytes lie in memory. */
    readonly addressOf: (bytes: Buffer) => bigint,
  ) {}

  /** Loads and initialises a library, once in this process. Throws when it can't be loaded. */
  static load(path: string): Promise<Cryptoki> {
    const present = this.#loaded.get(path);
    if (present) return present;
    const loading = this.#load(path);
    this.#loaded.set(path, loading);
    loading.catch(() => this.#loaded.delete(path));
    return loading;
  }

  static async #load(path: string): Promise<Cryptoki> {
    if (process.platform !== 'linux' && process.platform !== 'darwin')
      throw new Error(`PKCS#11 is not supported on ${process.platform}`);
    // Loaded here: native code that nobody needs who has no token.
    const { default: koffi } = await import('koffi');
    const library = koffi.load(path);
    const calls = new Map(
      Object.entries(CALLS).map(([name, parameters]) => [name as Call, library.func(name, LONG, [...parameters])]),
    );
    const module = new Cryptoki(calls, (bytes) => koffi.address(bytes));
    // CK_C_INITIALIZE_ARGS: no mutexes of ours, flags, nothing reserved.
    const settings = words(0, 0, 0, 0, CKF_OS_LOCKING_OK, 0);
    await module.call('C_Initialize', [settings], { alsoFine: [CKR.CRYPTOKI_ALREADY_INITIALIZED] });
    return module;
  }

  /** Throws CryptokiError for every answer but OK and those named. */
  async call(
    name: Call,
    args: readonly Argument[],
    { alsoFine = [], pointedAt = [] }: CallOptions = {},
  ): Promise<number> {
    const passed = [args, pointedAt];
    this.#inUse.add(passed);
    const answered = this.#turn.then(() => this.#answerTo(name, args)).finally(() => this.#inUse.delete(passed));
    this.#turn = answered.catch(() => undefined);
    const code = await answered;
    if (code !== CKR.OK && !alsoFine.includes(code)) throw new CryptokiError(name, code);
    return code;
  }

  #answerTo(name: Call, args: readonly Argument[]): Promise<number> {
    return new Promise((resolve, reject) =>
      this.calls
        .get(name)!
        .async(...args, (error: unknown, answer: number | bigint) =>
          error ? reject(error as Error) : resolve(Number(answer)),
        ),
    );
  }
}
