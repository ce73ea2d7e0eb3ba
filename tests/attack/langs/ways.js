// SPDX-License-Identifier: MIT
// Node.js's own ways to run a command: `ways.js WAY MARK`, `ways.js --list`, and
// `ways.js --allowed PROGRAM`, which runs an allowed program in each way.
const cp = require('child_process');
const { Worker } = require('worker_threads');
const [way, mark] = process.argv.slice(2);
const line = `echo in > ${mark}`;
const quiet = (f) => { try { f(); } catch (e) { console.error(String(e)); } };
const ways = {
  exec: () => cp.exec(line, () => {}),
  execSync: () => quiet(() => cp.execSync(line)),
  execFile: () => cp.execFile('/bin/sh', ['-c', line], () => {}),
  execFileSync: () => quiet(() => cp.execFileSync('sh', ['-c', line])),
  spawn: () => cp.spawn('sh', ['-c', line]).on('error', () => {}),
  spawnShell: () => cp.spawn(line, { shell: true }).on('error', () => {}),
  spawnSync: () => quiet(() => cp.spawnSync('/bin/sh', ['-c', line])),
  spawnArgv0: () => quiet(() => cp.spawnSync('/bin/sh', ['-c', line], { argv0: 'true' })),
  spawnCwd: () => quiet(() => cp.spawnSync('./sh', ['-c', line], { cwd: '/bin' })),
  spawnBash: () => quiet(() => cp.spawnSync(line, { shell: '/bin/bash' })),
  envPreload: () => quiet(() => cp.spawnSync('/usr/bin/perl', ['-e', '1'], { env: { ...process.env, LD_PRELOAD: `${process.env.WAY_DIR}/evil.so` } })),
  envPerl5opt: () => quiet(() => cp.spawnSync('/usr/bin/perl', ['-e', '1'], { env: { ...process.env, PERL5OPT: '-Mevil', PERL5LIB: process.env.WAY_DIR } })),
  processEnvPreload: () => { process.env.LD_PRELOAD = `${process.env.WAY_DIR}/evil.so`; quiet(() => cp.spawnSync('/usr/bin/perl', ['-e', '1'])); },
  forkExecPath: () => cp.fork('-c', [line], { execPath: '/bin/sh', silent: true }).on('error', () => {}),
  worker: () => new Worker(`require('child_process').execSync(${JSON.stringify(line)})`, { eval: true }).on('error', () => {}),
  binding: () => quiet(() => process.binding('spawn_sync').spawn({ file: '/bin/sh', args: ['sh', '-c', line], stdio: [{ type: 'inherit', fd: 0 }, { type: 'inherit', fd: 1 }, { type: 'inherit', fd: 2 }] })),
  spawnDetached: () => cp.spawn('sh', ['-c', line], { detached: true }).on('error', () => {}),
};
const allowed = async (program) => {
  const words = ['3', 'a b;c', '$x'];
  const show = (name, ...what) => console.log(name, JSON.stringify(what.map(String)));
  const sync = cp.spawnSync(program, words, { input: 'input' });
  show('spawnSync', sync.status, sync.stdout, sync.stderr);
  try { cp.execFileSync(program, words); } catch (e) { show('execFileSync', e.status, e.stdout); }
  show('spawnSync cwd', cp.spawnSync(program, words, { cwd: '/', env: {} }).stdout);
  show('missing', cp.spawnSync('/nonexistent/program', words).error.code);
  await new Promise((done) => cp.execFile(program, words, (e, out, err) => { show('execFile', e.code, out, err); done(); }).stdin.end());
  await new Promise((done) => cp.spawn(program, words, { stdio: 'ignore' }).on('close', (code) => { show('spawn', code); done(); }));
  await new Promise((done) => cp.spawn(program, words, { stdio: 'ignore', detached: true }).on('close', (code) => { show('detached', code); done(); }));
  await new Promise((done) => cp.spawn('/nonexistent/program').on('error', (e) => { show('spawn missing', e.code); done(); }));
};
if (way === '--allowed') allowed(mark);
else if (way === '--list') console.log(Object.keys(ways).join('\n'));
else ways[way]();
