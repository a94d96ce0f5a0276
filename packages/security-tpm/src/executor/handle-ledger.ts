/**
 * Which handles in the TPM are ours although nobody uses them any more, and how to get rid of them.
 *
 * Three ways lead here: a flush that could not be sent, a command that makes a handle whose response was lost, and a
 * response that makes no sense, such as that to an earlier command, after which nobody knows which handles there are.
 * Behind a resource manager all vanish with the connection. On a raw device they would stay, so we look what was there
 * before our first handle; what is new and not in use is ours, because a raw device serves nobody else while we are
 * connected.
 */
import {
  commands,
  decodeResponse,
  decodeResponseCode,
  encodeCommand,
  handleKind,
  peekResponseCode,
} from '@endorse/tpm2';
import type { CommandInfo } from '@endorse/tpm2';

/** Sends a command of the ledger itself. */
export type SendMaintenance = (command: CommandInfo, frame: Uint8Array) => Promise<Uint8Array>;

const firstTransient = 0x8000_0000;
const firstLoadedSession = 0x0200_0000;
/** More than any TPM has slots for. */
const maxHandlesListed = 64;

/** Kinds of handles that take up memory of the TPM until they are flushed. */
export function isFlushable(handle: number): boolean {
  return ['transient', 'hmacSession', 'policySession'].includes(handleKind(handle));
}

/** The handles of one executor that nobody uses any more. */
export class HandleLedger {
  readonly #resourceManaged: boolean;
  readonly #orphans = new Set<number>();
  /** Ours, and held by callers until they flush them. */
  readonly #handedOut = new Set<number>();
  #foreign: ReadonlySet<number> | undefined;
  #inDoubt = false;

  constructor(resourceManaged: boolean) {
    this.#resourceManaged = resourceManaged;
  }

  /** True when there is something to flush right now. */
  get hasOrphans(): boolean {
    return this.#orphans.size > 0;
  }

  /** True when something of ours is in the TPM, or may be, that nobody uses. */
  get needsCleaning(): boolean {
    return this.hasOrphans || this.#inDoubt;
  }

  /** A handle of ours that could not be flushed. */
  addOrphan(handle: number): void {
    this.#orphans.add(handle);
  }

  /** A handle of ours that its caller keeps. */
  handOut(handle: number): void {
    this.#handedOut.add(handle);
  }

  /** A handle that the TPM let go of. */
  forget(handle: number): void {
    this.#handedOut.delete(handle);
  }

  /**
   * There may be handles nobody has seen: the response to a command that makes one never came, or a response was not
   * the answer to its command.
   */
  noteDoubt(): void {
    this.#inDoubt = !this.#resourceManaged;
  }

  /** To be called before a command that makes a handle; looks once what is there already, and says how many. */
  async prepareCreation(send: SendMaintenance): Promise<number> {
    if (this.#resourceManaged || this.#foreign !== undefined) return 0;
    this.#foreign = new Set(await listHandles(send));
    return this.#foreign.size;
  }

  /** To be called on a new connection: a resource manager flushed everything with the old one. */
  noteReconnect(): void {
    if (this.#resourceManaged) this.#orphans.clear();
  }

  /** Looks for handles nobody has seen; `inUse` are the handles whose users may come back to them. */
  async findLost(send: SendMaintenance, inUse: ReadonlySet<number>): Promise<void> {
    if (!this.#inDoubt) return;
    for (const handle of await listHandles(send)) {
      const isUsed = inUse.has(handle) || this.#handedOut.has(handle) || this.#foreign?.has(handle) === true;
      if (!isUsed) this.#orphans.add(handle);
    }
    this.#inDoubt = false;
  }

  /** Flushes what nobody uses. */
  async flushOrphans(send: SendMaintenance): Promise<void> {
    for (const handle of this.#orphans) {
      const frame = encodeCommand(commands.FlushContext, { flushHandle: handle });
      const responseCode = peekResponseCode(await send(commands.FlushContext, frame)) ?? 0;
      if (responseCode === 0) {
        this.#orphans.delete(handle);
      } else if (isUnknownHandle(responseCode)) {
        // The TPM was started anew; or somebody changed the handle in a response, which no HMAC covers.
        this.#orphans.delete(handle);
        this.noteDoubt();
      }
    }
  }
}

function isUnknownHandle(responseCode: number): boolean {
  return /^(HANDLE|VALUE|REFERENCE_[HS]\d)$/.test(decodeResponseCode(responseCode).name);
}

async function listHandles(send: SendMaintenance): Promise<number[]> {
  const found: number[] = [];
  for (const property of [firstTransient, firstLoadedSession]) {
    const request = { capability: 'handles', property, propertyCount: maxHandlesListed } as const;
    const response = await send(commands.GetCapability, encodeCommand(commands.GetCapability, request));
    const { parameters } = decodeResponse(commands.GetCapability, response, 0);
    const { capabilityData } = commands.GetCapability.decodeResponse([], parameters);
    if (capabilityData.kind === 'handles') found.push(...capabilityData.handles);
  }
  return found;
}
