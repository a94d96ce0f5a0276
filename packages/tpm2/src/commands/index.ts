/**
 * The commands of the ceremony by their names in TPM 2.0 Library, Part 3 (without `TPM2_`).
 */
import type { CommandInfo } from './command.ts';
import { contextLoad, contextSave } from './context.ts';
import { create, createPrimary } from './create.ts';
import { activateCredential, makeCredentialInTpm } from './credential.ts';
import { duplicate, importObject } from './duplication.ts';
import { evictControl } from './evict-control.ts';
import { flushContext } from './flush-context.ts';
import { getCapability } from './get-capability.ts';
import { getRandom } from './get-random.ts';
import { clear, dictionaryAttackLockReset, hierarchyChangeAuth } from './hierarchy.ts';
import { hmac, hmacStart, sequenceComplete, sequenceUpdate } from './hmac.ts';
import { load } from './load.ts';
import { nvDefineSpace, nvRead, nvReadPublic, nvUndefineSpace, nvWrite } from './nv.ts';
import { policyCommandCode, policyGetDigest, policySecret } from './policy.ts';
import { readPublic } from './read-public.ts';
import { getTestResult, selfTest } from './self-test.ts';
import { startAuthSession } from './start-auth-session.ts';
import { shutdown, startup } from './startup.ts';

/** Every command this package encodes. */
export interface Commands {
  readonly ActivateCredential: typeof activateCredential;
  readonly Clear: typeof clear;
  readonly ContextLoad: typeof contextLoad;
  readonly ContextSave: typeof contextSave;
  readonly Create: typeof create;
  readonly CreatePrimary: typeof createPrimary;
  readonly DictionaryAttackLockReset: typeof dictionaryAttackLockReset;
  readonly Duplicate: typeof duplicate;
  readonly EvictControl: typeof evictControl;
  readonly FlushContext: typeof flushContext;
  readonly GetCapability: typeof getCapability;
  readonly GetRandom: typeof getRandom;
  readonly GetTestResult: typeof getTestResult;
  readonly HMAC: typeof hmac;
  readonly HMAC_Start: typeof hmacStart;
  readonly HierarchyChangeAuth: typeof hierarchyChangeAuth;
  readonly Import: typeof importObject;
  readonly Load: typeof load;
  readonly MakeCredential: typeof makeCredentialInTpm;
  readonly NV_DefineSpace: typeof nvDefineSpace;
  readonly NV_Read: typeof nvRead;
  readonly NV_ReadPublic: typeof nvReadPublic;
  readonly NV_UndefineSpace: typeof nvUndefineSpace;
  readonly NV_Write: typeof nvWrite;
  readonly PolicyCommandCode: typeof policyCommandCode;
  readonly PolicyGetDigest: typeof policyGetDigest;
  readonly PolicySecret: typeof policySecret;
  readonly ReadPublic: typeof readPublic;
  readonly SelfTest: typeof selfTest;
  readonly SequenceComplete: typeof sequenceComplete;
  readonly SequenceUpdate: typeof sequenceUpdate;
  readonly Shutdown: typeof shutdown;
  readonly StartAuthSession: typeof startAuthSession;
  readonly Startup: typeof startup;
}

/** Every command this package encodes, by its name in Part 3. */
export const commands: Commands = Object.freeze({
  ActivateCredential: activateCredential,
  Clear: clear,
  ContextLoad: contextLoad,
  ContextSave: contextSave,
  Create: create,
  CreatePrimary: createPrimary,
  DictionaryAttackLockReset: dictionaryAttackLockReset,
  Duplicate: duplicate,
  EvictControl: evictControl,
  FlushContext: flushContext,
  GetCapability: getCapability,
  GetRandom: getRandom,
  GetTestResult: getTestResult,
  HMAC: hmac,
  HMAC_Start: hmacStart,
  HierarchyChangeAuth: hierarchyChangeAuth,
  Import: importObject,
  Load: load,
  MakeCredential: makeCredentialInTpm,
  NV_DefineSpace: nvDefineSpace,
  NV_Read: nvRead,
  NV_ReadPublic: nvReadPublic,
  NV_UndefineSpace: nvUndefineSpace,
  NV_Write: nvWrite,
  PolicyCommandCode: policyCommandCode,
  PolicyGetDigest: policyGetDigest,
  PolicySecret: policySecret,
  ReadPublic: readPublic,
  SelfTest: selfTest,
  SequenceComplete: sequenceComplete,
  SequenceUpdate: sequenceUpdate,
  Shutdown: shutdown,
  StartAuthSession: startAuthSession,
  Startup: startup,
});

/** Name of a command by its code, without `TPM2_`; undefined for a code this package does not encode. */
export function commandName(code: number): keyof Commands | undefined {
  // Spread, because only the type of an object literal is known to hold nothing but commands.
  const all: Readonly<Record<string, CommandInfo>> = { ...commands };
  return Object.keys(all).find((name) => all[name]?.code === code) as keyof Commands | undefined;
}
