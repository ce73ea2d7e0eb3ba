// SPDX-License-Identifier: MIT
// Node.js's own ways to run a command; `ways.js WAY MARK` or `ways.js --list`.
const cp = require('child_process');
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
  spawnDetached: () => cp.spawn('sh', ['-c', line], { detached: true }).on('error', () => {}),
};
if (way === '--list') console.log(Object.keys(ways).join('\n'));
else ways[way]();
