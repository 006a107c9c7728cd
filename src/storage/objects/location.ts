import { UserError } from '../../core/errors.ts'
import type { StoreKind } from './store.ts'

/** What an object URL names. `pattern`: a key, a prefix or a glob, as written. */
export type ObjectLocation = {
  readonly kind: StoreKind
  readonly bucket: string
  /** Azure: the account, where the URL names it. */
  readonly account: string | undefined
  readonly endpoint: string | undefined
  readonly pattern: string
}

const KINDS: Readonly<Record<string, StoreKind>> = {
  s3: 's3',
  gs: 'gcs',
  gcs: 'gcs',
  az: 'azure-blob',
  azblob: 'azure-blob',
  azure: 'azure-blob',
}

const AZURE_HOST =
  /^([a-z0-9]{3,24})\.blob\.(?:core\.windows\.net|core\.usgovcloudapi\.net|core\.chinacloudapi\.cn)$/

/** Whether a path is an object URL rather than the name of a file: `s3://`, `gs://`, `gcs://`, `azblob://`, or the address of an Azure blob. */
export function isObjectUrl(path: string): boolean {
  const [, scheme = ''] = /^([a-z][a-z0-9+.-]*):\/\//i.exec(path) ?? []
  if (KINDS[scheme.toLowerCase()] !== undefined) return true
  return /^https:$/i.test(`${scheme}:`) && URL.canParse(path) && AZURE_HOST.test(new URL(path).hostname)
}

/**
 * Takes an object URL apart: `s3://bucket/prefix/*.jsonl.gz`, `gs://…`, `azblob://container/…`, `https://account.blob.core.windows.net/container/…`.
 * @throws UserError for any other
 */
export function objectLocation(url: string): ObjectLocation {
  // Not through URL: keys may hold what a URL would escape, and a glob's question mark is no query.
  const [, scheme = '', host = '', rest = ''] = /^([a-z][a-z0-9+.-]*):\/\/([^/]*)\/?(.*)$/is.exec(url) ?? []
  const kind = KINDS[scheme.toLowerCase()]
  if (kind !== undefined && host !== '' && !host.includes('@')) {
    return { kind, bucket: host, account: undefined, endpoint: undefined, pattern: rest }
  }
  const account = AZURE_HOST.exec(host.toLowerCase())?.[1]
  const [container = '', ...path] = rest.split('/')
  if (/^https$/i.test(scheme) && account !== undefined && container !== '') {
    return {
      kind: 'azure-blob',
      bucket: container,
      account,
      endpoint: `https://${host}`,
      pattern: path.join('/'),
    }
  }
  throw new UserError(`${JSON.stringify(url)} is not an object URL`, {
    hint: 'write it like s3://bucket/prefix/, gs://bucket/prefix/*.jsonl.gz or azblob://container/prefix/',
    code: 'object-url',
  })
}

/** The part of a pattern before its first wildcard: what a store can be asked for. */
export function fixedPrefix(pattern: string): string {
  return pattern.slice(0, pattern.search(/[*?[{]|$/))
}

/** Whether a key fits a pattern: `*` and `?` inside a segment, `**` over segments, `[a-z]`, `{a,b}`; without any of these, the key or a folder of it. */
export function keyMatcher(pattern: string): (key: string) => boolean {
  if (!/[*?[{]/.test(pattern)) {
    const folder = pattern === '' || pattern.endsWith('/') ? pattern : `${pattern}/`
    return (key) => key === pattern || key.startsWith(folder)
  }
  const expression = new RegExp(`^${expressionOf(pattern)}$`, 'su')
  return (key) => expression.test(key)
}

function expressionOf(pattern: string): string {
  let text = ''
  let braces = 0
  for (let i = 0; i < pattern.length; i += 1) {
    const c = pattern[i] ?? ''
    if (c === '*' && pattern[i + 1] === '*') {
      // `**/` also stands for no folder at all.
      const isFolder = pattern[i + 2] === '/'
      text += isFolder ? '(?:.*/)?' : '.*'
      i += isFolder ? 2 : 1
    } else if (c === '*') text += '[^/]*'
    else if (c === '?') text += '[^/]'
    else if (c === '[' && pattern.indexOf(']', i) > i + 1) {
      const end = pattern.indexOf(']', i)
      const set = pattern
        .slice(i + 1, end)
        .replace(/^!/, '^')
        .replaceAll(/[\\[\]&]/g, '\\$&')
      text += `[${set}]`
      i = end
    } else if (c === '{') {
      text += '(?:'
      braces += 1
    } else if (c === '}' && braces > 0) {
      text += ')'
      braces -= 1
    } else if (c === ',' && braces > 0) text += '|'
    else text += c.replace(/[\\^$.|+()[\]{}/?*]/g, '\\$&')
  }
  return text + ')'.repeat(braces)
}
