/**
 * Set-up steps: how they are announced and how they fail.
 * Everything goes to stderr; stdout belongs to the command that is run.
 */

/** A set-up step that did not work: which, what happened, and what to do about it. */
export class StepError extends Error {
  /**
   * @param {string} step What was being done, for example `install packages`.
   * @param {string} problem What happened, with the end of the tool's output where there is one.
   * @param {string} remedy What to do next.
   */
  constructor(step, problem, remedy) {
    super(`${step}: ${problem}`);
    this.name = 'StepError';
    this.step = step;
    this.problem = problem;
    this.remedy = remedy;
  }
}

/** Prints one line about a step that takes long enough to be noticed. */
export function announce(text) {
  process.stderr.write(`endorse: ${text}\n`);
}

/** Prints a failure the way a reader needs it: the step, what failed, the remedy. */
export function explain(error) {
  if (error instanceof StepError) {
    const problem = error.problem.trimEnd().replace(/\n/g, '\n    ');
    process.stderr.write(
      `endorse: step "${error.step}" failed\n  what:   ${problem}\n  remedy: ${error.remedy}\n`,
    );
    return;
  }
  process.stderr.write(`endorse: ${error?.stack ?? error}\n`);
}
