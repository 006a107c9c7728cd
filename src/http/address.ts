import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net'

export type AddressKind = 'public' | 'private' | 'loopback' | 'link-local'

let known: readonly (readonly [AddressKind, BlockList])[] | undefined

/** As subnets, made when they are first asked for; what is in none is public. */
function kinds(): readonly (readonly [AddressKind, BlockList])[] {
  known ??= [
    ['loopback', listOf('127.0.0.0/8', '::1/128')],
    // Cloud metadata lives at 169.254.169.254 and fd00:ec2::254.
    ['link-local', listOf('169.254.0.0/16', 'fe80::/10', 'fd00:ec2::254/128')],
    [
      'private',
      listOf(
        '0.0.0.0/8',
        '10.0.0.0/8',
        '100.64.0.0/10',
        '172.16.0.0/12',
        '192.0.0.0/24',
        '192.168.0.0/16',
        '198.18.0.0/15',
        '224.0.0.0/4',
        '240.0.0.0/4',
        '::/128',
        'fc00::/7',
        'ff00::/8',
      ),
    ],
  ]
  return known
}

/** What an IP address can reach. IPv4 inside IPv6 (mapped, NAT64) counts as the IPv4 address it stands for. */
export function addressKind(address: string): AddressKind {
  const ip = embeddedIpv4(address) ?? address.replace(/%.*$/, '')
  const family = isIPv4(ip) ? 'ipv4' : 'ipv6'
  for (const [kind, list] of kinds()) if (list.check(ip, family)) return kind
  return 'public'
}

/** Whether plain HTTP to this URL host stays on this machine: `localhost` or a loopback address. */
export function isLoopbackHost(hostname: string): boolean {
  const host = bareHost(hostname)
  // The usual ones are told without the lists, which take some milliseconds to make.
  if (host === 'localhost' || host === '127.0.0.1' || host === '::1') return true
  return isIP(host) !== 0 && addressKind(host) === 'loopback'
}

/** A URL's host name without the brackets of IPv6 and the dot of a full name. */
export function bareHost(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '')
}

function embeddedIpv4(address: string): string | undefined {
  if (!isIPv6(address)) return undefined
  // The URL parser gives one spelling for all: `::ffff:a9fe:a9fe`.
  const plain = bareHost(new URL(`http://[${address.replace(/%.*$/, '')}]`).hostname)
  const [, high, low] = /^(?:::ffff:|64:ff9b::)([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(plain) ?? []
  if (high === undefined || low === undefined) return undefined
  const bits = Number.parseInt(high, 16) * 0x10000 + Number.parseInt(low, 16)
  return [24, 16, 8, 0].map((shift) => Math.floor(bits / 2 ** shift) % 256).join('.')
}

function listOf(...subnets: readonly string[]): BlockList {
  const list = new BlockList()
  for (const subnet of subnets) {
    const [net = '', prefix = ''] = subnet.split('/')
    list.addSubnet(net, Number(prefix), net.includes(':') ? 'ipv6' : 'ipv4')
  }
  return list
}
