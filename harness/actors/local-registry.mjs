/** verdaccio on a port of the system's choice; prints it. Environment: ENDORSE_STORAGE, ENDORSE_UPSTREAM. */
import { runServer } from 'verdaccio';

const server = await runServer({
  configPath: process.env.ENDORSE_STORAGE,
  storage: process.env.ENDORSE_STORAGE,
  uplinks: { upstream: { url: process.env.ENDORSE_UPSTREAM } },
  packages: {
    '@endorse/*': { access: '$all', publish: '$all' },
    '**': { access: '$all', proxy: 'upstream' },
  },
  web: { enable: false },
  log: { type: 'stdout', level: 'fatal' },
  self_path: process.env.ENDORSE_STORAGE,
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
