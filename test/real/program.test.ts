import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import type { RunReport } from '../../src/core/report.ts'
import { faultPlan } from '../../src/sandbox/faults.ts'
import { SANDBOXES } from '../../src/sandbox/registry.ts'
import type { SandboxService } from '../../src/sandbox/service.ts'
import { openStore } from '../../src/storage/objects/open-store.ts'
import { newObject } from '../../src/storage/objects/write-once.ts'
import { startSandboxProcess } from '../support/sandbox-process.ts'
import { type SplunkBench, startSplunkBench } from '../support/splunk-bench.ts'
import { awsEnvironment } from './sdk-environment.ts'
import { CLOCK, settingsOf } from './store-suite.ts'

const EVENTS = 3000
const signal = AbortSignal.timeout(240_000)

async function startS3(...faults: string[]): Promise<SandboxService> {
  const start = await SANDBOXES['s3']?.()
  if (start === undefined) throw new Error('S3 has no sandbox')
  return start({ seed: 1, generation: '2026', recent: false, faults: faultPlan(faults), now: Date.now })
}

/** Ids in the bucket, as often as they lie there. */
const archivedIds = (s3: SandboxService): string[] =>
  (s3.rows?.() ?? []).map((row) => String(row['_id'])).sort()

/** Infisical, a Splunk to which the older half is too late, and a bucket for that half. */
async function withLate(
  faults: readonly string[],
  work: (bench: SplunkBench, s3: SandboxService, command: readonly string[]) => Promise<void>,
): Promise<void> {
  const s3 = await startS3(...faults)
  const bench = await startSplunkBench({ events: EVENTS })
  try {
    const [, from = '', , to = ''] = bench.window
    const middle = (Date.parse(from) + Date.parse(to)) / 2
    const past = `${Math.floor((Date.now() - middle) / 1000)}s`
    bench.configure({
      late: 'archive',
      acceptWindow: { past },
      archive: { dir: 's3://audit-lake/late' },
    })
    Object.assign(bench.env, awsEnvironment(s3.config.streams?.['lake'] ?? {}))
    const window = ['--from', from, '--to', to]
    await work(bench, s3, ['backfill', '--stream', 'soc', ...window, '--missing', '--max-missing', '100%'])
  } finally {
    await bench.close()
    await s3.close()
  }
}

/** Each event is in one place, once. */
function assertEachOnce({ ids, splunk }: SplunkBench, s3: SandboxService, archived: number): void {
  const inBucket = archivedIds(s3)
  assert.equal(inBucket.length, archived)
  assert.deepEqual([...inBucket, ...(splunk.receivedIds?.() ?? [])].toSorted(), ids.toSorted())
  assert.deepEqual([...s3.violations, ...splunk.violations], [])
}

describe('late events for a bucket, through the program', () => {
  for (const faults of [[], ['s3:slow-down@1', 's3:reset-after@2', 's3:error-after@5']]) {
    test(`each lies in the bucket or in Splunk, once${faults.length > 0 ? `, for all of ${faults}` : ''}`, () =>
      withLate(faults, async (bench, s3, command) => {
        const done = await bench.run([...command, '--verify', '-o', 'json'])
        assert.equal(done.code, 0, done.stderr)
        const report = done.json<RunReport>()
        assert.ok(report.archived > EVENTS / 4 && report.delivered > EVENTS / 4)
        assert.deepEqual([report.archived + report.delivered, report.late], [EVENTS, report.archived])
        assertEachOnce(bench, s3, report.archived)
        const again = await bench.run([...command, '-o', 'json'])
        assert.ok(again.code === 0, again.stderr)
        assertEachOnce(bench, s3, report.archived)
      }))
  }

  test('a kill in the middle leaves nothing out and nothing twice', () =>
    withLate([], async (bench, s3, command) => {
      const killed = bench.start([...command, '-o', 'json'])
      while (archivedIds(s3).length === 0) {
        signal.throwIfAborted()
        await sleep(1)
      }
      killed.kill('SIGKILL')
      await killed.ended
      const done = await bench.run([...command, '--verify', '-o', 'json'])
      assert.equal(done.code, 0, done.stderr)
      assertEachOnce(bench, s3, done.json<RunReport>().archived)
    }))

  test('refused credentials end it with 5, and say which permission it takes', () =>
    withLate([], async (bench, s3, command) => {
      bench.env = { ...bench.env, AWS_SECRET_ACCESS_KEY: 'another-secret-key-that-is-refused' }
      const refused = await bench.run([...command, '-o', 'json'])
      assert.equal(refused.code, 5, refused.stderr)
      assert.match(refused.stderr, /S3 did not write s3:\/\/audit-lake\/late\/dt=.*SignatureDoesNotMatch/)
      assert.equal(archivedIds(s3).length, 0)
    }))
})

test('a backfill into a bucket that was killed and resumed is whole, and verifies as a whole', async () => {
  const s3 = await startS3()
  const bench = await startSplunkBench({ events: EVENTS })
  try {
    const lake = s3.config.streams?.['lake'] ?? {}
    const streams = {
      ...(bench.sandbox.config['streams'] as object),
      lake: { ...lake, batch: { maxEvents: 200 } },
    }
    writeFileSync(bench.env['AUDITCTL_CONFIG'] ?? '', JSON.stringify({ ...bench.sandbox.config, streams }), {
      mode: 0o600,
    })
    Object.assign(bench.env, awsEnvironment(lake))
    const command = ['backfill', '--stream', 'lake', ...bench.window, '--missing', '--max-missing', '100%']
    const killed = bench.start([...command, '-o', 'json'])
    while ((s3.rows?.() ?? []).length === 0) {
      signal.throwIfAborted()
      await sleep(1)
    }
    killed.kill('SIGKILL')
    await killed.ended
    const done = await bench.run([...command, '--verify', '-o', 'json'])
    assert.equal(done.code, 0, done.stderr)
    assert.equal(done.json<RunReport>().verified, true)
    assert.deepEqual([...(s3.receivedIds?.() ?? [])].sort(), bench.ids.toSorted())
    const verified = await bench.run(['verify', 's3://audit-lake/source=infisical/', '-o', 'json'])
    assert.equal(verified.code, 0, verified.stdout + verified.stderr)
    assert.match(verified.stdout, /3,000 events/)
    const gaps = await bench.run(['gaps', '--stream', 'lake', ...bench.window, '-o', 'json'])
    assert.equal(gaps.code, 0, gaps.stderr)
    assert.deepEqual(s3.violations, [])
  } finally {
    await bench.close()
    await s3.close()
  }
})

test('verify of a bucket’s URL checks what ScaiVault’s remote export wrote, through the AWS SDK', async () => {
  // A fault that no request meets: it names the service to be run.
  const sandbox = await startSandboxProcess(['--fault', 'scaivault:error-500@1000000'])
  const s3 = await startS3()
  const lake = s3.config.streams?.['lake'] ?? {}
  const store = await openStore(settingsOf('s3', lake), { clock: CLOCK })
  const put = (key: string, content: string | Uint8Array) =>
    store.create(newObject(key, Buffer.from(content), 'application/octet-stream'), signal)
  try {
    const env = awsEnvironment(lake)
    const source = ['--source', 'scaivault']
    const created = await sandbox.run(
      ['remote-export', 'create', ...source, '--from', '30d', '--out', 's3://audit-lake/2026/x'].concat(
        ...['--format', 'jsonl', '--credentials-path', 'aws/audit', '-o', 'json'],
      ),
      { env },
    )
    assert.equal(created.code, 0, created.stderr)
    const { manifest } = created.json<{ manifest: { files: { key: string; bytes: number }[] } }>()
    const verify = (url: string) => sandbox.run(['verify', url, ...source, '-o', 'json'], { env })

    // What the job says it wrote is not there.
    const missing = await verify('s3://audit-lake/2026/x/')
    assert.equal(missing.code, 3, missing.stderr)
    assert.match(missing.stdout, /part-0001\.jsonl is missing/)
    const [file] = manifest.files
    await put(file?.key ?? '', 'x'.repeat(file?.bytes ?? 0))
    const altered = await verify('s3://audit-lake/2026/x/')
    assert.equal(altered.code, 3, altered.stderr)
    assert.match(altered.stdout, /part-0001\.jsonl is altered: its SHA-256 is another/)

    // A manifest beside the files, in another hand than ours.
    const lines = Array.from({ length: 500 }, (_, n) => `${JSON.stringify({ id: `e${n}` })}\n`).join('')
    const files = [Buffer.from(lines), gzipSync(lines)].map((content, n) => ({
      content,
      name: `part-${n}.jsonl${n === 1 ? '.gz' : ''}`,
    }))
    for (const { name, content } of files) await put(`2026/y/${name}`, content)
    const listed = files.map(({ name, content }) => ({
      key: `s3://audit-lake/2026/y/${name}`,
      size: content.length,
      records: 500,
      sha256: createHash('sha256').update(content).digest('hex'),
    }))
    await put('2026/y/manifest.json', JSON.stringify({ objects: listed, total_records: 1000 }))
    const whole = await verify('s3://audit-lake/2026/y/')
    assert.equal(whole.code, 0, whole.stderr + whole.stdout)
    await put('2026/y/else.jsonl', lines)
    const foreign = await verify('s3://audit-lake/2026/y/manifest.json')
    assert.equal(foreign.code, 3, foreign.stderr)
    assert.match(foreign.stdout, /else\.jsonl is foreign/)
    assert.deepEqual(s3.violations, [])
  } finally {
    await store.close()
    await sandbox.stop()
    await s3.close()
  }
})
