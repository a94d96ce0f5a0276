/** Every check, in the order they run. */
import { apiReports } from './api-reports.ts';
import type { Check } from './check.ts';
import { changesets } from './changesets.ts';
import { dependencies } from './dependencies.ts';
import { docComments } from './doc-comments.ts';
import { documentationSite } from './documentation-site.ts';
import { examples } from './examples.ts';
import { generated } from './generated.ts';
import { formatting, linting } from './oxc.ts';
import { installation } from './packaging/installation.ts';
import { tarballs } from './packaging/tarball-lint.ts';
import { purity } from './purity.ts';
import { structure } from './structure.ts';
import { text } from './text.ts';
import { types } from './types.ts';

export const checks: readonly Check[] = Object.freeze([
  formatting,
  linting,
  types,
  dependencies,
  purity,
  docComments,
  examples,
  generated,
  structure,
  text,
  changesets,
  tarballs,
  installation,
  apiReports,
  documentationSite,
]);
