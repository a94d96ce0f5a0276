import { createHash } from 'node:crypto';
import { ProvisioningError } from '../errors.ts';
import { canonicalJson } from '../support/canonical-json.ts';
import type { ProvisioningPlan } from './plan.ts';

/** Ten thousand devices with all their observations. */
const maxPlanLength = 128 * 1024 * 1024;

/** Completes a plan with its digest. */
export function sealPlan(plan: Omit<ProvisioningPlan, 'digest'>): ProvisioningPlan {
  return { ...plan, digest: digestOf(plan) };
}

/** The plan as text for a file; it holds no secret. */
export function formatPlan(plan: ProvisioningPlan): string {
  return `${JSON.stringify(plan, undefined, 2)}\n`;
}

/**
 * Reads a plan. Throws `ERR_PLAN_FILE` for what is none, for another version, and for one that was edited: a plan
 * is carried out as it was made, or made again.
 */
export function parsePlan(text: string): ProvisioningPlan {
  if (text.length > maxPlanLength) throw invalid('is too long');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw invalid('is not JSON', cause);
  }
  const plan = value as Partial<ProvisioningPlan> | null;
  if (plan === null || typeof plan !== 'object' || plan.format !== 'endorse-plan')
    throw invalid('is no plan');
  if (plan.version !== 1) throw invalid(`has version ${String(plan.version)}; this program knows version 1`);
  const { digest, ...content } = plan as ProvisioningPlan;
  if (digest !== digestOf(content)) throw invalid('was changed after it was made');
  return plan as ProvisioningPlan;
}

function digestOf(content: Omit<ProvisioningPlan, 'digest'>): string {
  return createHash('sha256').update(canonicalJson(content)).digest('hex');
}

function invalid(problem: string, cause?: unknown): ProvisioningError {
  return new ProvisioningError('ERR_PLAN_FILE', `the plan ${problem}`, {
    cause,
    remedy: 'Make the plan again.',
  });
}
