import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { remoteExportCommand } from '../../../src/cli/commands/remote-export.ts'
import type { Invocation } from '../../../src/cli/invocation.ts'
import type { Runtime } from '../../../src/cli/runtime.ts'
import type { VerifyUrlExtras } from '../../../src/cli/verify-url.ts'
import { verifyUrl } from '../../../src/cli/verify-url.ts'
import { type MemoryBucket, memoryBucket } from '../../support/memory-objects.ts'
import { type SandboxBench, sandboxBench } from './sandbox-bench.ts'

const CREATE = {
  source: 'scaivault',
  from: '30d',
  out: 's3://acme-audit/2026/x',
  credentialsPath: 'aws/audit',
}
const sha256 = (content: Uint8Array | string) => createHash('sha256').update(content).digest('hex')

function bench(t: Parameters<typeof sandboxBench>[0]): Promise<SandboxBench> {
  return sandboxBench(t, { services: ['scaivault'] })
}

test('remote-export create starts one job, waits for its end and prints its manifest; status and list know it', async (t) => {
  const { run, sandbox } = await bench(t)
  const created = await run(remoteExportCommand, 'remote-export create', [], CREATE)
  assert.equal(created.exitCode, 0)
  const job = JSON.parse(created.stdout)
  assert.equal(job.state, 'completed')
  const [file] = job.manifest.files
  assert.equal(file.key, '2026/x/part-0001.jsonl')
  assert.equal(job.manifest.totalRecords, file.records)
  assert.match(
    created.log,
    /started the export \S+ at scaivault, about [\d,]+ events\n.*processing\n.*completed/,
  )
  const status = await run(remoteExportCommand, 'remote-export status', [job.id], { source: 'scaivault' })
  assert.deepEqual(JSON.parse(status.stdout).manifest, job.manifest)
  const list = await run(remoteExportCommand, 'remote-export list', [], {
    source: 'scaivault',
    output: 'table',
  })
  assert.match(
    list.stdout,
    new RegExp(`^id +status +files +events\n${job.id} +completed +1 +${file.records}\n$`),
  )
  assert.deepEqual(sandbox.services['scaivault']?.violations, [])
})

test('remote-export sends the filters that the source applies, and starts nothing for one that it does not', async (t) => {
  const { run } = await bench(t)
  const filtered = await run(remoteExportCommand, 'remote-export create', [], {
    ...CREATE,
    outcome: 'failure',
  })
  const whole = await run(remoteExportCommand, 'remote-export create', [], { ...CREATE, format: 'csv' })
  const records = (out: { stdout: string }): number => JSON.parse(out.stdout).manifest.totalRecords
  assert.ok(records(filtered) < records(whole))
  assert.match(JSON.parse(whole.stdout).manifest.files[0].key, /\.csv$/)
  for (const [options, message] of [
    [{ ...CREATE, where: ['a.b~c'] }, /cannot apply every filter by itself/],
    [{ ...CREATE, out: 'acme' }, /is not an object URL/],
    [{ ...CREATE, out: 's3://b/*.jsonl' }, /is not a bucket and a prefix/],
    [{ ...CREATE, out: undefined }, /needs --out/],
    [{ ...CREATE, credentialsPath: undefined }, /needs --credentials-path/],
    [{ ...CREATE, from: undefined }, /the window is missing/],
    [{ ...CREATE, source: 'infisical' }, /runs no exports of its own/],
  ] as const) {
    const refused = run(remoteExportCommand, 'remote-export create', [], options)
    await assert.rejects(refused, { name: 'UserError', exitCode: 2, message })
  }
  const list = await run(remoteExportCommand, 'remote-export list', [], { source: 'scaivault' })
  assert.equal(JSON.parse(list.stdout).length, 2)
  const explained = await run(remoteExportCommand, 'remote-export create', [], { ...CREATE, explain: true })
  assert.equal(explained.exitCode, 0)
  assert.equal(
    JSON.parse((await run(remoteExportCommand, 'remote-export list', [], { source: 'scaivault' })).stdout)
      .length,
    2,
  )
})

test('remote-export ends with 6 when the job fails at the source, with its words', async (t) => {
  const { run, faults } = await bench(t)
  faults.add('scaivault:export-fails')
  await assert.rejects(run(remoteExportCommand, 'remote-export create', [], CREATE), {
    exitCode: 6,
    message: /ended as failed: The bucket refused the credentials/,
  })
})

function put(bucket: MemoryBucket, objects: Readonly<Record<string, string | Buffer>>): void {
  for (const [key, content] of Object.entries(objects)) bucket.objects.set(key, Buffer.from(content))
}

async function verify(
  b: SandboxBench,
  bucket: MemoryBucket,
  target: string,
  options: Record<string, unknown> = {},
) {
  const command = (invocation: Invocation, runtime: Runtime, extras?: VerifyUrlExtras) =>
    verifyUrl(target, invocation, runtime, extras)
  const { exitCode, stdout } = await b.run(
    command,
    'verify',
    [target],
    { json: true, ...options },
    {
      extras: { openStore: bucket.open },
    },
  )
  return { exitCode, ...(JSON.parse(stdout) as { ok: boolean; checked: string; findings: string[] }) }
}

const LINES = '{"id":"a"}\n{"id":"b"}\n'
const PACKED = gzipSync('{"id":"c"}\n')
const MANIFEST = {
  version: 1,
  files: [
    { path: 'year=2026/a.jsonl', bytes: LINES.length, sha256: sha256(LINES), rows: 2 },
    { path: 'b.jsonl.gz', bytes: PACKED.length, sha256: sha256(PACKED), rows: 1 },
  ],
  totals: { files: 2, rows: 3 },
  complete: true,
  reasons: [],
}
const WHOLE = {
  'x/year=2026/a.jsonl': LINES,
  'x/b.jsonl.gz': PACKED,
  'x/': '',
  'x/manifest.json.sig': 'a detached signature',
  'y/other.jsonl': LINES,
}

test('verify of a bucket’s URL reads every object that the manifests there name, and nothing beside the prefix', async (t) => {
  const b = await bench(t)
  for (const [name, target] of [
    ['x/manifest.json', 's3://acme/x/'],
    ['x/manifest.json', 's3://acme/x'],
    ['x/_run-1.manifest.json', 'gs://acme/x/'],
    ['x/manifest.json', 's3://acme/x/manifest.json'],
  ] as const) {
    const bucket = memoryBucket()
    put(bucket, { ...WHOLE, [name]: JSON.stringify(MANIFEST) })
    assert.deepEqual(await verify(b, bucket, target), {
      exitCode: 0,
      ok: true,
      checked: '2 objects, 3 events',
      findings: [],
    })
    assert.deepEqual(
      bucket.calls.filter((call) => call.startsWith('read')).sort(),
      ['read x/b.jsonl.gz', 'read x/year=2026/a.jsonl', `read ${name}`].sort(),
    )
  }
})

test('verify of a bucket’s URL ends with 3 and names what is missing, altered, foreign, short or incomplete', async (t) => {
  const b = await bench(t)
  const cut = Buffer.from(PACKED.subarray(0, PACKED.length - 4))
  const withBytes = (bytes: number) => ({
    ...MANIFEST,
    files: [{ ...MANIFEST.files[1], bytes, sha256: undefined }],
  })
  for (const [objects, manifest, finding] of [
    [{ 'x/b.jsonl.gz': PACKED }, MANIFEST, 'x/year=2026/a.jsonl is missing'],
    [
      { ...WHOLE, 'x/b.jsonl.gz': cut },
      MANIFEST,
      `x/b.jsonl.gz is altered: ${cut.length} bytes, ${PACKED.length} were written`,
    ],
    [
      { ...WHOLE, 'x/year=2026/a.jsonl': LINES.replace('a', 'z') },
      MANIFEST,
      'x/year=2026/a.jsonl is altered: its SHA-256 is another',
    ],
    [{ ...WHOLE, 'x/c.jsonl': LINES }, MANIFEST, 'x/c.jsonl is foreign: no manifest names it'],
    [WHOLE, { ...MANIFEST, totals: { rows: 4 } }, 'x/manifest.json records 4 events, its files add up to 3'],
    [
      WHOLE,
      { ...MANIFEST, complete: false, reasons: ['a slice failed'] },
      'x/manifest.json is not complete: a slice failed',
    ],
    [
      { 'x/b.jsonl.gz': PACKED },
      { files: [{ key: 'x/b.jsonl.gz', records: 7 }] },
      'x/b.jsonl.gz holds 1 rows, 7 were recorded',
    ],
    [
      { 'x/b.jsonl.gz': cut },
      { ...withBytes(cut.length), totals: {} },
      /^x\/b\.jsonl\.gz cannot be read to its end/,
    ],
  ] as const) {
    const bucket = memoryBucket()
    put(bucket, { ...objects, 'x/manifest.json': JSON.stringify(manifest) })
    const { exitCode, findings } = await verify(b, bucket, 's3://acme/x/')
    assert.equal(exitCode, 3)
    assert.equal(findings.length, 1, findings.join('; '))
    if (typeof finding === 'string') assert.equal(findings[0], finding)
    else assert.match(findings[0] ?? '', finding)
  }
})

test('verify of a bucket’s URL counts once what a resumed run lists again, and names what its manifests disagree on', async (t) => {
  const b = await bench(t)
  const bucket = memoryBucket()
  const again = JSON.stringify(MANIFEST)
  put(bucket, { ...WHOLE, 'x/_r.manifest.json': again, 'x/_r.2.manifest.json': again })
  assert.equal((await verify(b, bucket, 's3://acme/x/')).checked, '2 objects, 3 events')
  put(bucket, { 'x/_r.2.manifest.json': again.replace(sha256(LINES), sha256('else')) })
  const { exitCode, findings } = await verify(b, bucket, 's3://acme/x/')
  assert.equal(exitCode, 3)
  assert.match(findings.join(), /a\.jsonl is listed again by x\/_r\S*\.manifest\.json with another SHA-256/)
})

test('verify of a bucket’s URL without a manifest asks the source what its exports wrote there', async (t) => {
  const b = await bench(t)
  const created = await b.run(remoteExportCommand, 'remote-export create', [], CREATE)
  const [file] = JSON.parse(created.stdout).manifest.files
  const bucket = memoryBucket()
  const missing = await verify(b, bucket, 's3://acme-audit/2026/x/')
  assert.deepEqual([missing.exitCode, missing.findings], [3, [`${file.key} is missing`]])
  put(bucket, { [file.key]: 'x'.repeat(file.bytes), '2026/x/else.jsonl': LINES })
  const altered = await verify(b, bucket, 's3://acme-audit/2026/x/', { source: 'scaivault' })
  assert.deepEqual(altered.findings, [
    '2026/x/else.jsonl is foreign: no manifest names it',
    `${file.key} is altered: its SHA-256 is another`,
  ])
  await assert.rejects(verify(b, bucket, 's3://acme-audit/elsewhere/'), {
    exitCode: 2,
    message: /no manifest lies below .*elsewhere\/, and no source tells of an export to it/,
  })
  await assert.rejects(verify(b, bucket, 'ftp://x/y'), { exitCode: 2, message: /is not the URL of a bucket/ })
})
