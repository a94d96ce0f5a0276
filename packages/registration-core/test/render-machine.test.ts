import { states, transitions } from '@endorse/registration-core/machine';
import { expect, it } from 'vitest';
import { renderDiagram, renderMachine, renderStates, renderTransitions } from '../scripts/render-machine.ts';

it('the rendering has a line for every state and every transition, in order', () => {
  const stateLines = renderStates().split('\n').slice(2);
  expect(stateLines.map((line) => /`([^`]+)`/.exec(line)?.[1])).toEqual(Object.keys(states));
  const rows = renderTransitions().split('\n').slice(2);
  expect(rows).toHaveLength(transitions.length);
  for (const [index, { on, to }] of transitions.entries()) {
    expect(rows[index]).toContain(`| \`${on}\``);
    expect(rows[index]).toContain(`| \`${to}\``);
  }
});

it('the diagram names each state once and has an arrow out of each but the last', () => {
  const diagram = renderDiagram();
  for (const name of Object.keys(states)) {
    const identifier = name.replaceAll('-', '_');
    expect(diagram.split(`state "${name}" as ${identifier}\n`)).toHaveLength(2);
    // Abort, deadline and failure hold everywhere and are not drawn, so nothing leads into aborted.
    if (name !== 'aborted') expect(diagram).toMatch(new RegExp(`--> ${identifier}[:\\n]`));
    expect(diagram).toMatch(new RegExp(`\n  ${identifier} --> `));
  }
});

it('the section is the diagram and both tables', () => {
  expect(renderMachine()).toBe([renderDiagram(), renderStates(), renderTransitions()].join('\n\n') + '\n');
});
