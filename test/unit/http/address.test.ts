import assert from 'node:assert/strict'
import type { LookupAddress } from 'node:dns'
import { test } from 'node:test'
import { UserError } from '../../../src/core/errors.ts'
import { addressKind, isLoopbackHost } from '../../../src/http/address.ts'
import { safeLookup } from '../../../src/http/safe-lookup.ts'

test('addressKind() knows what an address can reach', () => {
  const cases: Readonly<Record<string, readonly string[]>> = {
    public: ['8.8.8.8', '172.32.0.1', '100.128.0.1', '2606:4700::1111', '::ffff:8.8.8.8', '64:ff9b::808:808'],
    private: [
      ...['0.0.0.0', '10.1.2.3', '100.64.0.1', '172.16.0.1', '172.31.255.255', '192.0.0.1', '192.168.1.1'],
      ...[
        '198.18.0.1',
        '224.0.0.1',
        '255.255.255.255',
        '::',
        'fc00::1',
        'fd12::1',
        'ff02::1',
        '::ffff:10.0.0.1',
      ],
      '64:ff9b::a00:1',
    ],
    loopback: ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1', '::FFFF:7F00:1'],
    'link-local': [
      ...['169.254.169.254', '169.254.0.1', 'fe80::1', 'fe80::1%eth0', 'febf::1', 'fd00:ec2::254'],
      ...['::ffff:169.254.169.254', '::ffff:a9fe:a9fe', '64:ff9b::169.254.169.254'],
    ],
  }
  for (const [kind, addresses] of Object.entries(cases)) {
    for (const address of addresses) assert.equal(addressKind(address), kind, address)
  }
})

test('isLoopbackHost() is true for this machine only, however it is spelled', () => {
  for (const host of ['localhost', 'localhost.', '127.0.0.1', '127.1.2.3', '[::1]', '[::ffff:7f00:1]']) {
    assert.equal(isLoopbackHost(host), true, host)
  }
  for (const host of [
    'example.com',
    'localhost.example.com',
    '127.0.0.1.example.com',
    '10.0.0.1',
    '[::2]',
    '0.0.0.0',
  ]) {
    assert.equal(isLoopbackHost(host), false, host)
  }
})

type Answer = { readonly error: Error | null; readonly address: string | readonly LookupAddress[] }

function lookUp(addresses: readonly string[], all: boolean): Answer {
  const found = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
  const resolve = ((_name: string, _options: object, done: (error: null, found: LookupAddress[]) => void) =>
    done(null, found)) as unknown as Parameters<typeof safeLookup>[0]
  let answer: Answer | undefined
  safeLookup(resolve)('metadata.example.com', { all }, (error, address) => {
    answer = { error, address }
  })
  assert.ok(answer)
  return answer
}

test('safeLookup() hands over only addresses that may be connected to', () => {
  assert.deepEqual(lookUp(['169.254.169.254', '10.0.0.1', 'fe80::1', '::1'], true).address, [
    { address: '10.0.0.1', family: 4 },
    { address: '::1', family: 6 },
  ])
  assert.equal(lookUp(['fd00:ec2::254', '93.184.216.34'], false).address, '93.184.216.34')
})

test('safeLookup() refuses a name that leads only to link-local or metadata addresses', () => {
  for (const addresses of [['169.254.169.254'], ['fe80::1', '::ffff:169.254.169.254'], []]) {
    const { error } = lookUp(addresses, true)
    assert.ok(error instanceof UserError)
    assert.match(error.message, /metadata\.example\.com resolves to/)
    assert.match(error.hint ?? '', /address itself/)
  }
})
