/**
 * Imports one entry and reports, as one line of JSON, its exports and every
 * module that this loaded. Runs in the empty project, on the oldest Node.js too.
 */
import { registerHooks } from 'node:module';
import { argv, stdout } from 'node:process';
import { pathToFileURL } from 'node:url';

const [, , specifier, project] = argv;
const loaded = new Set();
registerHooks({
  load(url, context, nextLoad) {
    loaded.add(url);
    return nextLoad(url, context);
  },
  // The probe lies elsewhere; what it imports must resolve from the project.
  resolve: (name, context, nextResolve) =>
    nextResolve(
      name,
      name === specifier ? { ...context, parentURL: pathToFileURL(`${project}/index.mjs`).href } : context,
    ),
});
const exports = Object.keys(await import(specifier));
stdout.write(`${JSON.stringify({ exports, loaded: [...loaded] })}\n`);
