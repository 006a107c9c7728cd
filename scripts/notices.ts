import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

type Manifest = {
  readonly name: string
  readonly version: string
  readonly license?: string
  readonly author?: string | { readonly name?: string }
}

/**
 * THIRD-PARTY-NOTICES.md: name, version, licence and licence text of every package that has a file among `inputs`.
 * @throws Error for a package without a licence, which may not ship
 */
export function noticesOf(inputs: readonly string[], root: string): string {
  const folders = new Set(
    inputs.flatMap((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []),
  )
  const parts = [...folders].map((folder) => noticeOf(join(root, folder)))
  const sorted = parts.sort((a, b) => (a.title < b.title ? -1 : 1))
  return [
    '# Third-party notices',
    '',
    'The program in `dist/` contains code of these packages.',
    '',
    ...sorted.flatMap(({ title, text }) => [`## ${title}`, '', text, '']),
  ].join('\n')
}

function noticeOf(folder: string): { readonly title: string; readonly text: string } {
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest
  if (manifest.license === undefined) throw new Error(`${manifest.name} names no licence`)
  const file = readdirSync(folder).find((name) => /^(licen[cs]e|copying)/i.test(name))
  const author = typeof manifest.author === 'string' ? manifest.author : manifest.author?.name
  const text =
    file !== undefined && existsSync(join(folder, file))
      ? readFileSync(join(folder, file), 'utf8').trim()
      : `The package carries no licence text${author === undefined ? '' : `; its author is ${author}`}.`
  return {
    title: `${manifest.name} ${manifest.version}, ${manifest.license}`,
    text: `\`\`\`text\n${text.replaceAll('```', "'''")}\n\`\`\``,
  }
}
