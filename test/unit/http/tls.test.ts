import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { UnavailableError, UserError } from '../../../src/core/errors.ts'
import { isFailure } from '../../../src/core/http.ts'
import { ask, client, fixture, json, serve } from './loopback.ts'

const caFile = fixture('ca.pem')
const certFile = fixture('client.pem')
const keyFile = fixture('client-key.pem')

test('a certificate of an unknown authority is refused with a hint, before anything is sent', async (t) => {
  const server = await serve(t, (response) => json(response, 200, {}), {})
  const service = client(t).http.service({ service: 'Acme', baseUrl: server.url })
  await assert.rejects(service.request(ask()), (error) => {
    assert.ok(error instanceof UnavailableError)
    assert.deepEqual([error.code, error.attempts], ['tls', 1])
    assert.match(
      error.message,
      /^Could not read the audit log: the TLS check of Acme at https:\/\/127\.0\.0\.1:\d+ failed: [^;]+$/,
    )
    assert.match(error.hint ?? '', /tls\.caFile/)
    return true
  })
  const answer = await service.attempt(ask({ method: 'POST', body: 'secret' }))
  assert.ok(isFailure(answer))
  assert.deepEqual([answer.code, answer.nothingSent], ['tls', true])
  assert.equal(server.seen.length, 0)
})

test('a server that does not speak TLS is named as such, without the words of the TLS library', async (t) => {
  const server = await serve(t, (response) => json(response, 200, {}))
  const service = client(t).http.service({ service: 'Acme', baseUrl: server.url.replace('http:', 'https:') })
  await assert.rejects(service.request(ask()), (error) => {
    assert.ok(error instanceof UnavailableError)
    assert.match(error.message, /failed: what answers does not speak TLS$/)
    assert.match(error.hint ?? '', /port|http/)
    return true
  })
})

test('caFile makes the certificate of an authority of one’s own acceptable', async (t) => {
  const server = await serve(t, (response) => json(response, 200, {}), {})
  const service = client(t).http.service({ service: 'Acme', baseUrl: server.url, tls: { caFile } })
  assert.equal((await service.request(ask())).status, 200)
})

test('a certificate that is not for servers is refused, and caFile is not blamed', async (t) => {
  const wrong = { key: readFileSync(keyFile), cert: readFileSync(certFile) }
  const server = await serve(t, (response) => json(response, 200, {}), wrong)
  const service = client(t).http.service({ service: 'Acme', baseUrl: server.url, tls: { caFile } })
  await assert.rejects(service.request(ask()), (error) => {
    assert.ok(error instanceof UnavailableError)
    assert.equal(error.code, 'tls')
    assert.doesNotMatch(error.hint ?? '', /caFile/)
    return true
  })
  assert.equal(server.seen.length, 0)
})

test('a client certificate is shown to a server that wants one', async (t) => {
  const names: unknown[] = []
  const server = await serve(
    t,
    (response) => {
      names.push((response.socket as TLSSocket).getPeerCertificate().subject.CN)
      json(response, 200, {})
    },
    { ca: readFileSync(caFile), requestCert: true, rejectUnauthorized: true },
  )
  const { http } = client(t)
  const withCertificate = http.service({
    service: 'Acme',
    baseUrl: server.url,
    tls: { caFile, certFile, keyFile },
  })
  assert.equal((await withCertificate.request(ask())).status, 200)
  assert.deepEqual(names, ['auditctl test client'])

  const without = http.service({ service: 'Acme', baseUrl: server.url, tls: { caFile } })
  await assert.rejects(
    without.request(ask()),
    (error) => error instanceof UnavailableError && error.attempts >= 1,
  )
  assert.equal(server.seen.length, 1)
})

test('TLS 1.1 is refused', async (t) => {
  const server = await serve(t, (response) => json(response, 200, {}), {
    minVersion: 'TLSv1',
    maxVersion: 'TLSv1.1',
    ciphers: 'DEFAULT@SECLEVEL=0',
  })
  for (const tls of [{ caFile }, { insecureSkipVerify: true }]) {
    const service = client(t).http.service({ service: 'Acme', baseUrl: server.url, tls })
    await assert.rejects(
      service.request(ask()),
      (error) => error instanceof UnavailableError && error.code === 'tls',
    )
  }
  assert.equal(server.seen.length, 0)
})

test('insecureSkipVerify works, and warns once a run for each server', async (t) => {
  const server = await serve(t, (response) => json(response, 200, {}), {})
  const warnings: string[] = []
  const log = { debug: () => {}, info: () => {}, warn: (message: string) => warnings.push(message) }
  const { http } = client(t, { log })
  const settings = { service: 'Acme', baseUrl: server.url, tls: { insecureSkipVerify: true } }
  assert.equal((await http.service(settings).request(ask())).status, 200)
  http.service(settings)
  assert.deepEqual(warnings, [
    `the certificate of Acme at ${server.url} is not verified (tls.insecureSkipVerify)`,
  ])
  client(t, { log }).http.service(settings)
  assert.equal(warnings.length, 2)
})

test('services of one origin with different TLS settings do not share connections', async (t) => {
  const server = await serve(t, (response) => json(response, 200, {}), {})
  const { http } = client(t)
  await http
    .service({ service: 'Acme', baseUrl: server.url, tls: { insecureSkipVerify: true } })
    .request(ask())
  await assert.rejects(
    http.service({ service: 'Acme', baseUrl: server.url }).request(ask()),
    UnavailableError,
  )
})

test('a TLS file that is missing or wrong is named before any request', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'auditctl-tls-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const garbage = join(folder, 'garbage.pem')
  writeFileSync(garbage, 'not a certificate')
  const { http } = client(t)
  const cases = [
    [{ caFile: join(folder, 'none.pem') }, /tls\.caFile: cannot read .*none\.pem \(ENOENT\)/],
    [{ caFile: garbage }, /tls\.caFile: .*garbage\.pem holds no certificate/],
    [{ certFile }, /tls\.keyFile is set without|tls\.certFile is set without/],
    [{ keyFile }, /tls\.keyFile is set without|tls\.certFile is set without/],
    [{ certFile: garbage, keyFile }, /TLS cannot use .*garbage\.pem/],
    [{ certFile, keyFile: fixture('server-key.pem') }, /TLS cannot use .*client\.pem, .*server-key\.pem/],
  ] as const
  for (const [tls, words] of cases) {
    assert.throws(
      () => http.service({ service: 'Acme', baseUrl: 'https://example.com', tls }),
      (error) => error instanceof UserError && words.test(error.message) && error.hint !== undefined,
      String(words),
    )
  }
})
