/** Oracle: swtpm, a TPM 2.0 implementation on libtpms. */
import type { PublicArea } from '@endorse/tpm2';
import {
  commands,
  computeName,
  diagnoseEkTemplate,
  handleKind,
  publicKeyFromArea,
  rh,
  templates,
} from '@endorse/tpm2';
import { startTpmSimulator } from '@endorse/tpm-simulator';
import { describe, expect, it } from 'vitest';
import { openTpm, primary } from './support/tpm.ts';

describe('keys that a TPM makes', () => {
  it('have the Name we compute and a public key that node:crypto takes', async () => {
    await using simulator = await startTpmSimulator();
    await using tpm = await openTpm(simulator.address);
    for (const { endorsementKey, storageRootKey } of [templates.tcg, templates.ecc]) {
      for (const [hierarchy, template] of [
        [rh.endorsement, endorsementKey],
        [rh.owner, storageRootKey],
      ] as const) {
        const key = await primary(tpm, hierarchy, template);
        expect(handleKind(key.objectHandle)).toBe('transient');
        expect(key.name).toEqual(computeName(key.outPublic));
        expect({ ...key.outPublic, unique: template.unique }).toEqual(template);
        const read = await tpm.execute(commands.ReadPublic, { objectHandle: key.objectHandle });
        expect(read).toMatchObject({ outPublic: key.outPublic, name: key.name });
        expect(publicKeyFromArea(key.outPublic).type).toBe('public');
        await tpm.execute(commands.FlushContext, { flushHandle: key.objectHandle });
      }
    }
  });

  it('differ between the TCG and the Azure template, and the diagnosis tells which was enrolled', async () => {
    await using simulator = await startTpmSimulator();
    await using tpm = await openTpm(simulator.address);
    const make = async (name: 'tcg' | 'azure-legacy'): Promise<PublicArea> => {
      const key = await primary(tpm, rh.endorsement, templates[name].endorsementKey);
      await tpm.execute(commands.FlushContext, { flushHandle: key.objectHandle });
      return key.outPublic;
    };
    const created = { tcg: await make('tcg'), 'azure-legacy': await make('azure-legacy') };
    expect(diagnoseEkTemplate({ enrolled: created['azure-legacy'], created })).toMatchObject({
      verdict: 'match',
      template: 'azure-legacy',
    });
    expect(diagnoseEkTemplate({ enrolled: created.tcg, created })).toMatchObject({ template: 'tcg' });
  });
});
