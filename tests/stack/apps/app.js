// SPDX-License-Identifier: MIT
// The pages of README in this folder, for Node.  DELIBERATELY VULNERABLE.
'use strict';
const { exec, execFile, spawn } = require('child_process');
const fs = require('fs');
const http = require('http');
const path = require('path');

const escape = (text) => text.replace(/[<>&"']/g, (c) => `&#${c.charCodeAt(0)};`);

function fields(body) {
    return new URLSearchParams(body.toString());
}

// One file of a multipart/form-data body.
function file(body, type) {
    const boundary = '--' + type.split('boundary=')[1];
    const start = body.indexOf('\r\n\r\n') + 4;
    const head = body.toString('latin1', 0, start);
    return {
        name: path.basename(/filename="([^"]*)"/.exec(head)[1]),
        content: body.subarray(start, body.indexOf('\r\n' + boundary, start)),
    };
}

const pages = {
    page: (q, answer) => answer(`<p>Hello ${escape(q.get('name') ?? 'visitor')}</p>\n`),
    lookup: (q, answer) => exec(`getent hosts ${q.get('host')} 2>/dev/null`, (_, out) => answer('answer: ' + out)),
    list: (q, answer) => execFile('/usr/bin/getent', ['hosts', q.get('host')], (_, out) => answer('answer: ' + out)),
    form: (q, answer, body) => {
        const names = [...fields(body).entries()].filter(([name]) => name !== 'do').sort();
        answer(names.map(([name, value]) => `${name}=${value}\n`).join(''));
    },
    keep: (q, answer) => {
        const name = '/tmp/app-' + q.get('id');
        fs.appendFileSync(name, 'seen\n');
        const visits = fs.readFileSync(name, 'ascii').split('\n').length - 1;
        if (visits > 1) fs.unlinkSync(name);
        answer(`visits: ${visits}\n`);
    },
    upload: (q, answer, body, type) => {
        const { name, content } = file(body, type);
        fs.writeFile('/srv/www/uploads/' + name, content, (error) => answer(error ? 'refused\n' : 'stored\n'));
    },
    mail: (q, answer) => {
        const mail = spawn('/usr/sbin/sendmail', ['-t', '-i'], { stdio: ['pipe', 'ignore', 'inherit'] });
        mail.on('error', () => answer('not sent\n'));
        mail.on('close', (status) => answer(status ? 'not sent\n' : 'sent\n'));
        mail.stdin.on('error', () => {});
        mail.stdin.end(`To: ${q.get('to')}\nSubject: ${q.get('subject')}\n\nby node\n`);
    },
};

http.createServer((request, response) => {
    const query = new URL(request.url, 'http://localhost').searchParams;
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
        const body = Buffer.concat(chunks);
        const type = request.headers['content-type'] ?? '';
        const name = query.get('do') ?? (type.startsWith('application/x-www') && fields(body).get('do')) ?? 'page';
        let said = false;
        const answer = (text) => {
            if (said) return;
            said = true;
            response.setHeader('Content-Type', name === 'page' ? 'text/html' : 'text/plain');
            response.end(text);
        };
        pages[name || 'page'](query, answer, body, type);
    });
}).listen(Number(process.env.PORT), '127.0.0.1');
