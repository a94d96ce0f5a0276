import { expect, test } from 'vitest';
import { renderDiagram, renderMachine, renderStates, renderTransitions } from '../scripts/render-machine.ts';
import { states, transitions } from '../src/machine/index.ts';

test('the rendering has a line for every state and every transition, in order', () => {
  const stateLines = renderStates().split('\n').slice(2);
  expect(stateLines.map((line) => /`([^`]+)`/.exec(line)?.[1])).toEqual(Object.keys(states));
  const rows = renderTransitions().split('\n').slice(2);
  expect(rows).toHaveLength(transitions.length);
  for (const [index, { on, to }] of transitions.entries()) {
    expect(rows[index]).toContain(`| \`${on}\``);
    expect(rows[index]).toContain(`| \`${to}\``);
  }
});

test('the diagram leads into and out of every state', () => {
  const diagram = renderDiagram();
  for (const name of Object.keys(states)) {
    expect(diagram).toMatch(new RegExp(`--> ${name}[:\\n]`));
    expect(diagram).toMatch(new RegExp(`\n  ${name} --> `));
  }
});

test('a doWork sends nothing after a row that sends: such rows wait', () => {
  for (const { sends, does, to } of transitions.filter((row) => row.sends)) {
    expect(sends).toBe(true);
    expect(does.filter((effect) => effect.startsWith('send-') || effect === 'open')).toHaveLength(1);
    expect(['READY', 'REGISTER_SENT', 'CONFIRM_SENT', 'URL_REQ_SENT']).toContain(to);
  }
});

test('the section is the diagram and both tables', () => {
  expect(renderMachine()).toBe([renderDiagram(), renderStates(), renderTransitions()].join('\n\n') + '\n');
});
