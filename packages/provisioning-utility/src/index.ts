/**
 * Provisions gateways with a Device Provisioning Service: discovers, plans without a write, carries the plan out with a
 * journal that survives a crash, and reports. Every step is a function of its own, with ports for everything it reaches.
 *
 * @example
 * ```js
 * import { createEnrollmentClient } from '@endorse/enrollment-client';
 * import { applyPlan, makePlan, openJournal, renderReport } from '@endorse/provisioning-utility';
 *
 * export async function provision({ job, inventory, ports, credentials }) {
 *   const signal = AbortSignal.timeout(3_600_000);
 *   const plan = await makePlan({ job, inventory, ports, credentials, signal });
 *   const journal = await openJournal('run.jsonl', { resume: false, planDigest: plan.digest });
 *   try {
 *     const report = await applyPlan({ plan, journal, ports, credentials, signal });
 *     return renderReport(report, 'markdown');
 *   } finally {
 *     await journal.close();
 *   }
 * }
 * ```
 *
 * @packageDocumentation
 */
export type { ApplyPlanOptions } from './apply/apply-plan.ts';
export { applyPlan } from './apply/apply-plan.ts';
export type { CredentialPolicy, Credentials } from './credentials.ts';
export { credentialsFor } from './credentials.ts';
export type { EndorsementKey } from './endorsement-key.ts';
export { readEndorsementKey, registrationIdFor } from './endorsement-key.ts';
export type { ProvisioningErrorCode } from './errors.ts';
export { ProvisioningError, blockedCodes, conflictCodes } from './errors.ts';
export type { CodeExplanation } from './explain.ts';
export { explainCode, listExplanations } from './explain.ts';
export type { InventoryDevice, InventoryFormat } from './inventory/inventory.ts';
export { inventoryFields, inventoryFormats, inventoryFromDiscovery } from './inventory/inventory.ts';
export { inventoryFormatOf, maxInventoryDevices, readInventory } from './inventory/read-inventory.ts';
export { writeInventory } from './inventory/write-inventory.ts';
export type {
  JobConfigure,
  JobEnrollment,
  JobService,
  JobVerify,
  JobWriteBack,
  ProvisioningJob,
} from './job/job.ts';
export { findIdScopeWarning, readJob, readJobService } from './job/read-job.ts';
export { defaultGlobalEndpoint, readGlobalEndpoint, readServiceEndpoint } from './job/service-endpoint.ts';
export type { FileJournal } from './journal/file-journal.ts';
export { openJournal } from './journal/file-journal.ts';
export type { DeviceOutcome, Journal, JournalEntry } from './journal/journal.ts';
export { deviceOutcomes } from './journal/journal.ts';
export type { ReadJournal } from './journal/read-journal.ts';
export { readJournal } from './journal/read-journal.ts';
export { openPasswordsFile } from './passwords-file.ts';
export type { MakePlanOptions } from './plan/make-plan.ts';
export { makePlan } from './plan/make-plan.ts';
export type {
  Observation,
  PlanProblem,
  PlannedAction,
  PlannedDevice,
  PlannedStep,
  ProvisioningPlan,
  StepName,
} from './plan/plan.ts';
export { stepNames } from './plan/plan.ts';
export { formatPlan, parsePlan } from './plan/plan-file.ts';
export type { PlanFormat } from './plan/render-plan.ts';
export { planFormats, renderPlan } from './plan/render-plan.ts';
export type {
  EnrollmentPort,
  FindCertificate,
  GatewayTarget,
  OpenGateway,
  PasswordStore,
  ProbeDevice,
  ProvisioningPorts,
  StoredPassword,
} from './ports.ts';
export { discoveryProbe } from './probe-device.ts';
export type { ReportFormat } from './report/render-report.ts';
export { describeTotals, renderReport, reportFormats } from './report/render-report.ts';
export type { ProvisioningReport, ReportedDevice, ReportedStep } from './report/report.ts';
export { createReport } from './report/report.ts';
export { formatTable } from './report/table.ts';
export type { RunLimits } from './run-options.ts';
export { ensureCertificate } from './steps/certificate.ts';
export { requireSilence } from './steps/doors.ts';
export type { DesiredEnrollment, EnrollmentDecision } from './steps/enrollment.ts';
export { decideEnrollment, ensureEnrollment } from './steps/enrollment.ts';
export type { BulkOutcome, BulkPort } from './steps/enroll-in-bulk.ts';
export { enrollInBulk } from './steps/enroll-in-bulk.ts';
export { ensureOwnPassword, generatePassword } from './steps/password.ts';
export { readKey } from './steps/read-key.ts';
export type { SettingPhase } from './steps/settings.ts';
export { ensureSettings, ensureTime } from './steps/settings.ts';
export type { SignedIn } from './steps/sign-in.ts';
export { signIn } from './steps/sign-in.ts';
export type { StepOptions, StepOutcome, StepResult } from './steps/step-outcome.ts';
export { verifyAssigned } from './steps/verify.ts';
export type { DesiredWriteBack, ObservedProvisioning } from './steps/write-back.ts';
export { decideWriteBack, ensureEnabled, ensureWriteBack, resetRuntime } from './steps/write-back.ts';
export { Redactor } from './support/redactor.ts';
export { formatCsv } from './support/csv.ts';
export { TokenBucket } from './support/token-bucket.ts';
