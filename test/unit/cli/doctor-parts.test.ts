import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { secretChecks } from '../../../src/cli/doctor/secret-checks.ts'
import { type Disk, stateChecks } from '../../../src/cli/doctor/state-folder.ts'
import { type Sighting, tokenEnd } from '../../../src/cli/doctor/watch-http.ts'
import { wireChecks } from '../../../src/cli/doctor/wire-checks.ts'
import { UserError } from '../../../src/core/errors.ts'
import { Secret } from '../../../src/core/secret.ts'
import { tempFolder } from '../config/temp-folder.ts'

const NOW = Date.parse('2026-11-20T12:00:00Z')
const DAY = 86_400_000

function disk(type: number, freeBytes = 1e12, mounts = ''): Disk {
  return { statfs: async () => ({ type, freeBytes }), mounts: async () => mounts }
}

test('the state folder is warned of where it will not outlive a restart or keep its locks', async (t) => {
  const folder = join(tempFolder(t), 'state')
  mkdirSync(folder, { mode: 0o700 })
  const emptyDir = `36 35 8:1 / / rw - ext4 /dev/sda1 rw\n40 36 8:1 /var/lib/kubelet/pods/1/volumes/kubernetes.io~empty-dir/s ${folder} rw - ext4 /dev/sda1 rw\n`
  for (const [machine, message, hint] of [
    [disk(0x01021994), /on tmpfs/, /on a disk/],
    [disk(0x794c7630), /on overlay/, /mount a volume/],
    [disk(0x6969), /on NFS/, /locks do not hold/],
    // As some machines give it: a signed number.
    [disk(0xff534d42 | 0), /on CIFS/, /locks do not hold/],
    [disk(0xef53, 1e12, emptyDir), /emptyDir/, /persistentVolumeClaim/],
  ] as const) {
    const found = (await stateChecks(folder, machine)).filter(({ state }) => state === 'warning')
    assert.equal(found.length, 1)
    assert.match(found[0]?.message ?? '', message)
    assert.match(found[0]?.hint ?? '', hint)
  }
  const sound = await stateChecks(folder, disk(0xef53, 1e12, emptyDir.replaceAll(folder, '/elsewhere')))
  assert.deepEqual(
    sound.map(({ state }) => state),
    ['ok', 'ok'],
  )
})

test('the state folder is looked at for room, for others, and for being writable, and is not made', async (t) => {
  const folder = tempFolder(t)
  const full = await stateChecks(folder, disk(0xef53, 1000))
  assert.equal(full.at(-1)?.state, 'warning')
  chmodSync(folder, 0o755)
  assert.match((await stateChecks(folder, disk(0xef53)))[1]?.hint ?? '', /^chmod 700/)
  const absent = await stateChecks(join(folder, 'a', 'b'), disk(0xef53))
  assert.match(absent[0]?.message ?? '', /will be made/)
  writeFileSync(join(folder, 'file'), '')
  const [blocked] = await stateChecks(join(folder, 'file', 'state'), disk(0))
  assert.equal(blocked?.state, 'failure')
  assert.match(blocked?.hint ?? '', /AUDITCTL_STATE_DIR/)
})

function sighting(some: Partial<Sighting>): Sighting {
  return {
    service: 'S',
    origin: 'https://s.example',
    isPrivate: true,
    isVerified: true,
    skewMs: undefined,
    limit: undefined,
    remaining: undefined,
    throttled: 0,
    hasLoggedIn: false,
    tokenEnds: new Set(),
    ...some,
  }
}

test('what was seen on the wire is judged: clocks, tokens, limits, encryption, proxies', () => {
  const proxy = { HTTPS_PROXY: 'http://user:hunter2-proxy@proxy.example:3128' }
  for (const [seen, state, message, env] of [
    [{ skewMs: -900 }, 'ok', /1 s apart/],
    [{ skewMs: 30_000 }, 'warning', /30s ahead of ours/],
    [{ skewMs: -600_000 }, 'failure', /10m behind ours/],
    [{ tokenEnds: new Set([NOW + 40 * DAY]) }, 'ok', /ends in 40 days/],
    [{ tokenEnds: new Set([NOW + 3 * DAY + 5000]) }, 'warning', /ends in 3 days, at 2026-11-23/],
    [{ tokenEnds: new Set([NOW + 90 * 60_000]) }, 'warning', /ends in 1h 30m/],
    [{ tokenEnds: new Set([NOW - 1]) }, 'failure', /ended at 2026-11-20/],
    [{ tokenEnds: new Set([NOW + 60_000]), hasLoggedIn: true }, 'ok', /logs in anew/],
    [{ tokenEnds: new Set([undefined]) }, 'ok', /does not tell when it ends/],
    [{ limit: 60, remaining: 57 }, 'ok', /60 requests in a window, 57 left/],
    [{ limit: 60, remaining: 5 }, 'warning', /5 left/],
    [{ limit: 60, remaining: 50, throttled: 2 }, 'warning', /refused 2 requests/],
    [{ isPrivate: false, origin: 'http://s.example' }, 'warning', /in the clear/],
    [{ isVerified: false }, 'warning', /not verified/],
    [{}, 'ok', /through http:\/\/proxy\.example:3128$/, proxy],
    [{}, 'failure', /HTTPS_PROXY is not the URL of a proxy/, { HTTPS_PROXY: '::' }],
  ] as const) {
    const checks = wireChecks([sighting(seen as Partial<Sighting>)], { now: NOW, env: env ?? {} })
    assert.equal(checks.length, 1, JSON.stringify(checks))
    assert.equal(checks[0]?.state, state, checks[0]?.message)
    assert.match(checks[0]?.message ?? '', message)
    if (state !== 'ok') assert.ok(checks[0]?.hint)
  }
})

test('the end of a token is read from a JSON Web Token only', () => {
  const jwt = (claims: unknown) => `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.sig`
  assert.equal(tokenEnd(jwt({ exp: 1_800_000_000 })), 1_800_000_000_000)
  for (const token of [jwt({}), jwt({ exp: 'soon' }), jwt(null), 'opaque', 'a.b.c', '..'])
    assert.equal(tokenEnd(token), undefined, token)
})

test('secrets are resolved and named by where they come from, never by what they are or by their command', async () => {
  const resolve = (reference: string) => {
    if (reference === 'env:NONE')
      throw new UserError('The environment variable NONE is not set', { hint: 'export it' })
    return 'hunter2-value'
  }
  const options = {
    token: new Secret('cmd:vault read hunter2', resolve),
    headers: { A: new Secret('env:A', resolve), B: new Secret('env:NONE', resolve) },
    search: { key: new Secret('hunter2-literal', resolve) },
  }
  const checks = await secretChecks(options)
  assert.deepEqual(checks, [
    {
      check: 'secrets',
      state: 'ok',
      message: 'resolved: token (cmd:…), headers.A (env:A), search.key (literal)',
    },
    {
      check: 'secret headers.B',
      state: 'failure',
      message: 'The environment variable NONE is not set',
      hint: 'export it',
    },
  ])
})
